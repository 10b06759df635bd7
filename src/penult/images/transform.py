"""Resize and crop as the recipe says, pixel for pixel as torchvision does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from penult.errors import ImageError
from penult.images.decode import MAX_PIXELS
from penult.recipe import Preprocessing

__all__ = ["Transform"]


class Transform:
    """Resize and centre crop, to what the network sees.

    The pixels are those of torchvision's ``Resize`` and ``CenterCrop`` on the same Pillow image
    (and so of timm's `create_transform`, in its modes "center" and "squash"): same rounding of the
    longer edge, same crop offsets, black where the crop is larger than the image. `channels` is not
    applied: the engine's graph reorders.

    Parameters
    ----------
    preprocessing : what to do; only `resize`, `crop` and `interpolation` count here
    """

    def __init__(self, preprocessing: Preprocessing) -> None:
        self.preprocessing = preprocessing
        self._filter = Image.Resampling[preprocessing.interpolation.upper()]

    def __call__(self, image: Image.Image) -> NDArray[np.uint8]:
        """Transform one image.

        Parameters
        ----------
        image : Pillow image of mode RGB, any size

        Returns
        -------
        uint8 array, shape (H, W, 3), RGB, C-contiguous and writable, where (H, W) is `input_size`

        Raises
        ------
        ImageError
            If the image is so elongated that its resized form would not fit a sane memory.
        """
        resized = self._resized_size(*image.size)
        crop = self.preprocessing.crop or (resized[1], resized[0])
        across = _Axis.of(image.width, resized[0], crop[1])
        down = _Axis.of(image.height, resized[1], crop[0])
        pixels = np.asarray(_resize(image, across, down, self._filter))
        if across.padded or down.padded:
            canvas = np.zeros((*crop, 3), np.uint8)
            canvas[down.slice, across.slice] = pixels
            return canvas
        return np.array(pixels)

    def _resized_size(self, width: int, height: int) -> tuple[int, int]:
        resize = self.preprocessing.resize
        if resize is None:
            return width, height
        if isinstance(resize, tuple):
            return resize[1], resize[0]
        # Truncated, not rounded: torchvision's `_compute_resized_output_size`.
        if width <= height:
            return resize, int(resize * height / width)
        return int(resize * width / height), resize


@dataclass(frozen=True)
class _Axis:
    """One edge of the image: `size` pixels are resampled to `resized`, of which some are kept.

    Attributes
    ----------
    first, count : the resized pixels that the crop keeps
    before, after : the black ones that the crop adds
    """

    size: int
    resized: int
    first: int
    count: int
    before: int
    after: int

    @classmethod
    def of(cls, size: int, resized: int, crop: int) -> _Axis:
        missing = max(crop - resized, 0)
        # Python's rounding to even, as in torchvision's `center_crop`.
        first = round((resized - crop) / 2.0) if crop < resized else 0
        return cls(size, resized, first, min(crop, resized), missing // 2, (missing + 1) // 2)

    @property
    def padded(self) -> bool:
        return self.before + self.after > 0

    @property
    def slice(self) -> slice:
        return slice(self.before, self.before + self.count)


def _resize(
    image: Image.Image, across: _Axis, down: _Axis, resample: Image.Resampling
) -> Image.Image:
    _check_memory(image, across.resized, down.resized)
    whole = image.resize((across.resized, down.resized), resample)
    left, top = across.first, down.first
    return whole.crop((left, top, left + across.count, top + down.count))


def _check_memory(image: Image.Image, width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise ImageError(
            f"is {image.width:,} × {image.height:,} pixels, too elongated: "
            f"resized it would be {width:,} × {height:,}"
        )

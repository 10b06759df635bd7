"""Resize and crop as the recipe says, pixel for pixel as torchvision does."""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from penult.errors import ImageError
from penult.images.pixels.decode import MAX_PIXELS
from penult.recipe import Preprocessing

__all__ = ["Transform"]

# The table of weights has some ten numbers for each pixel of a resized edge.
_MAX_EDGE = 2**23

# Where a photo shrinks less, the second step costs more than it saves.
_WORTH_TWO_STEPS = 4

# Of Pillow's filters (Lanczos), in source pixels for each resized one.
_WIDEST_SUPPORT = 3


class Transform:
    """Resize and centre crop, to what the network sees.

    The pixels are those of torchvision's ``Resize`` and ``CenterCrop`` on the same Pillow image
    (and so of timm's `create_transform`, in its modes "center" and "squash"): same rounding of the
    longer edge, same crop offsets, black where the crop is larger than the image. `channels` is not
    applied: the engine's graph reorders.

    Parameters
    ----------
    preprocessing : Preprocessing
        What to do; only `resize`, `crop`, `margin`, `interpolation` count here.

    Notes
    -----
    What the crop throws away is not resampled where leaving it out is exact to the last bit. With a
    resize to 256 that is 15% of the time for a photo of 590 × 540 pixels, and for one of 12
    megapixels 33% upright and 10% across; with a size that is no power of two, 20% of a large
    upright photo and nothing elsewhere.
    """

    def __init__(self, preprocessing: Preprocessing) -> None:
        self.preprocessing = preprocessing
        self._filter = Image.Resampling[preprocessing.interpolation.upper()]

    @property
    def at_least(self) -> tuple[int, int] | None:
        """(width, height) below which a decoder that scales down may not go; None: it may not.

        Twice what the resize makes of the shorter edge, so that the resize still has what its
        filter averages. The same both ways, since a photo may be stored lying on its side.
        """
        resize = self.preprocessing.resize
        if self.preprocessing.decode == "exact" or resize is None:
            return None
        edge = 2 * (max(resize) if isinstance(resize, tuple) else resize)
        return edge, edge

    def __call__(self, image: Image.Image) -> NDArray[np.uint8]:
        """Transform one image.

        Parameters
        ----------
        image : Pillow image
            Of mode RGB, and any size.

        Returns
        -------
        uint8 array, shape (H, W, 3)
            RGB, C-contiguous and writable, where (H, W) is `input_size`.

        Raises
        ------
        ImageError
            If the image is so elongated that its resized form would not fit a sane memory.
        """
        resized = self._resized_size(*image.size)
        crop = self.preprocessing.crop or (resized[1], resized[0])
        margin = self.preprocessing.margin
        across = _Axis.of(image.width, resized[0], crop[1], margin)
        down = _Axis.of(image.height, resized[1], crop[0], margin)
        pixels = np.asarray(_resize(image, across, down, self._filter))
        if across.is_padded or down.is_padded:
            canvas = np.zeros((*crop, 3), np.uint8)
            canvas[down.kept, across.kept] = pixels
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
    first, count : int
        The resized pixels that the crop keeps.
    before, after : int
        The black ones that it adds.
    """

    size: int
    resized: int
    first: int
    count: int
    before: int
    after: int

    @classmethod
    def of(cls, size: int, resized: int, crop: int, margin: Literal["even", "down"]) -> _Axis:
        missing = max(crop - resized, 0)
        # Down means towards minus infinity: what is padded has a negative margin.
        before = (missing + 1) // 2 if margin == "down" else missing // 2
        spare = max(resized - crop, 0)
        first = spare // 2 if margin == "down" else round(spare / 2.0)
        return cls(size, resized, first, min(crop, resized), before, missing - before)

    @property
    def is_padded(self) -> bool:
        return self.before + self.after > 0

    @property
    def kept(self) -> slice:
        return slice(self.before, self.before + self.count)

    @property
    def is_exact_in_part(self) -> bool:
        """Whether resampling only the kept pixels takes exactly the weights of resampling all.

        Pillow takes the part's bounds in float32 and derives the weights from them in float64. If
        size / resized is a fraction of a power of two with few enough digits, nothing is rounded on
        either way; otherwise a weight may differ in its last bit, and then a pixel by one.
        """
        common = gcd(self.size, self.resized)
        denominator = self.resized // common
        return denominator & (denominator - 1) == 0 and self.size // common * self.resized < 2**24

    @property
    def part(self) -> tuple[float, float, int, int]:
        """(start, stop) to resample, how many pixels to, and the first one kept of those."""
        if not self.is_exact_in_part:
            return 0, self.size, self.resized, self.first
        scale = self.size / self.resized
        return self.first * scale, (self.first + self.count) * scale, self.count, 0


def _resize(
    image: Image.Image, across: _Axis, down: _Axis, resample: Image.Resampling
) -> Image.Image:
    """Resize and crop, with little work on what the crop throws away."""
    x0, x1, width, left = 0.0, float(across.size), across.resized, across.first
    y0, y1, height, top = 0.0, float(down.size), down.resized, down.first
    # Pillow samples the nearest by adding up steps from the left edge, and each sum is rounded.
    in_parts = resample is not Image.Resampling.NEAREST and _is_across_first(
        image.size, (across.resized, down.resized)
    )
    if in_parts:
        x0, x1, width, left = across.part
        y0, y1, height, top = down.part
    if width * height > MAX_PIXELS or max(width, height) > _MAX_EDGE:
        raise ImageError(
            f"is {image.width:,} × {image.height:,} pixels, too elongated: "
            f"resized it would be {across.resized:,} × {down.resized:,}"
        )
    worth_it = top > 0.1 * height and down.size >= _WORTH_TWO_STEPS * down.resized
    if in_parts and (worth_it or not _is_across_first(image.size, (width, height))):
        image = _resize_across(image, (x0, x1), width, down, resample)
        x0, x1 = 0, width
    part = image.resize((width, height), resample, (x0, y0, x1, y1))
    return part.crop((left, top, left + across.count, top + down.count))


def _is_across_first(size: tuple[int, int], resized: tuple[int, int]) -> bool:
    """Whether every Pillow resizes across before down; each pass rounds, so the order shows.

    Up to 12.1 all did; 12.2 makes an exception of images 100 times as high as wide, and 13 of those
    that lose more than twice as many rows as columns.
    """
    columns_lost, rows_lost = size[0] - resized[0], size[1] - resized[1]
    return rows_lost <= 0 or (rows_lost <= 2 * columns_lost and size[1] <= 100 * size[0])


def _resize_across(
    image: Image.Image,
    box: tuple[float, float],
    width: int,
    down: _Axis,
    resample: Image.Resampling,
) -> Image.Image:
    """Do the horizontal pass of a resize for the rows that the crop needs; others stay black.

    Down, the scale is 1, at which all of Pillow's filters leave every pixel as it is.
    """
    scale = down.size / down.resized
    reach = _WIDEST_SUPPORT * max(scale, 1) + 1
    first = max(int(down.first * scale - reach), 0)
    last = min(int((down.first + down.count) * scale + reach) + 1, down.size)
    rows = image.resize((width, last - first), resample, (box[0], first, box[1], last))
    narrow = Image.new("RGB", (width, down.size))
    narrow.paste(rows, (0, first))
    return narrow

"""Resize and crop as the recipe says."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from penult.errors import ImageError
from penult.images.pixels.axis import Axis, End, is_across_first
from penult.images.pixels.compiled_resize import CompiledResize
from penult.images.pixels.decode import MAX_PIXELS
from penult.images.pixels.fast_resize import FastResize, require_fast
from penult.interface import option
from penult.recipe import CENTER, Place, Preprocessing, View

__all__ = ["Transform"]

# The table of weights has some ten numbers for each pixel of a resized edge.
_MAX_EDGE = 2**23

# Across and down.
_ENDS: dict[Place, tuple[End, End]] = {
    "center": ("center", "center"),
    "top left": ("start", "start"),
    "top right": ("end", "start"),
    "bottom left": ("start", "end"),
    "bottom right": ("end", "end"),
}

# Where a photo shrinks less, the second step costs more than it saves.
_WORTH_TWO_STEPS = 4

_SIZES_KEPT = 64


class Transform:
    """Resize and crop, to what the network sees.

    The pixels are those of torchvision's ``Resize`` and ``CenterCrop`` on the same Pillow image
    (and so of timm's `create_transform`, in its modes "center" and "squash"): same rounding of the
    longer edge, same crop offsets, black where the crop is larger than the image. `channels` is not
    applied: the engine's graph reorders. With `resampling` ``"fast"`` they may differ by one.
    Several views are cut from one resized image, as torchvision's ``FiveCrop`` and ``TenCrop`` do.

    Parameters
    ----------
    preprocessing : Preprocessing
        What to do; only `resize`, `crop`, `margin`, `interpolation`, `resampling` count here.
    views : sequence of View
        One or more. A crop larger than the resized image is centred, whatever its place.

    Raises
    ------
    UsageError, MissingExtraError
        If `resampling` is ``"fast"``, and cannot be had.

    Notes
    -----
    What the crop throws away is not resampled where leaving it out is exact to the last bit. With a
    resize to 256 that is 15% of the time for a photo of 590 × 540 pixels, and for one of 12
    megapixels 33% upright and 10% across; with a size that is no power of two, 20% of a large
    upright photo and nothing elsewhere.
    """

    def __init__(self, preprocessing: Preprocessing, views: Sequence[View] = (CENTER,)) -> None:
        self.preprocessing = preprocessing
        self.views = tuple(views)
        self._axes = lru_cache(_SIZES_KEPT)(self.axes)  # photos of one camera are all alike
        self._filter = Image.Resampling[preprocessing.interpolation.upper()]
        self._compiled = CompiledResize(preprocessing.interpolation)
        self._fast: FastResize | None = None
        if preprocessing.resampling == "fast":
            require_fast(option("resize", "fast"), preprocessing)
            self._fast = FastResize(preprocessing.interpolation)

    def __reduce__(self) -> Any:
        return Transform, (self.preprocessing, self.views)

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
        uint8 array, shape (H, W, 3), or (V, H, W, 3) where V > 1 views are asked for
            RGB, C-contiguous and writable, where (H, W) is `input_size`.

        Raises
        ------
        ImageError
            If the image is so elongated that its resized form would not fit a sane memory.
        """
        axes = self._axes(*image.size)
        crop = self.preprocessing.crop or (axes[0][1].resized, axes[0][0].resized)
        across, down = (Axis.around(edges) for edges in zip(*axes, strict=True))
        _require_proportions(image, across, down, self._filter)
        pixels = self._resize(image, across, down)
        blank = np.zeros if across.is_padded or down.is_padded else np.empty
        canvas = blank((len(self.views), *crop, 3), np.uint8)
        for seen, view, (x, y) in zip(canvas, self.views, axes, strict=True):
            seen[y.kept, x.kept] = pixels[y.within(down), x.within(across)]
            if view.flipped:
                seen[:] = seen[:, ::-1].copy()
        return canvas if len(self.views) > 1 else canvas[0]

    def _resize(self, image: Image.Image, across: Axis, down: Axis) -> NDArray[np.uint8]:
        if self._fast:
            return np.asarray(self._fast(image, across, down))
        pixels = self._compiled(image, across, down)
        return np.asarray(_resize(image, across, down, self._filter)) if pixels is None else pixels

    def axes(self, width: int, height: int) -> list[tuple[Axis, Axis]]:
        """Say what is made of an image of that size, across and down: of each view."""
        resized = self._resized_size(width, height)
        crop = self.preprocessing.crop or (resized[1], resized[0])
        margin = self.preprocessing.margin
        return [
            (
                Axis.of(width, resized[0], crop[1], margin, x),
                Axis.of(height, resized[1], crop[0], margin, y),
            )
            for view in self.views
            for x, y in [_ENDS[view.place]]
        ]

    def corners(self, size: tuple[int, int]) -> tuple[tuple[int, int], ...]:
        """Where each view lies on the resized image.

        Parameters
        ----------
        size : (int, int)
            (width, height) of an image.

        Returns
        -------
        tuple of (int, int)
            (x, y) of the top left pixel of each view, mirrored or not; below 0 where the crop is
            larger than the resized image.
        """
        return tuple((x.first - x.before, y.first - y.before) for x, y in self.axes(*size))

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


def _is_in_parts(image: Image.Image, across: Axis, down: Axis, resample: Image.Resampling) -> bool:
    """Whether what the crop throws away need not be resized."""
    # Pillow samples the nearest by adding up steps from the left edge, and each sum is rounded.
    return resample is not Image.Resampling.NEAREST and is_across_first(
        image.size, (across.resized, down.resized)
    )


def _require_proportions(
    image: Image.Image, across: Axis, down: Axis, resample: Image.Resampling
) -> None:
    """Refuse what would be too large once it is resized, whichever way that is done."""
    width, height = across.resized, down.resized
    if _is_in_parts(image, across, down, resample):
        width, height = across.part[2], down.part[2]
    if width * height > MAX_PIXELS or max(width, height) > _MAX_EDGE:
        raise ImageError(
            f"is {image.width:,} × {image.height:,} pixels, too elongated: "
            f"resized it would be {across.resized:,} × {down.resized:,}"
        )


def _resize(
    image: Image.Image, across: Axis, down: Axis, resample: Image.Resampling
) -> Image.Image:
    """Resize and crop, with little work on what the crop throws away."""
    x0, x1, width, left = 0.0, float(across.size), across.resized, across.first
    y0, y1, height, top = 0.0, float(down.size), down.resized, down.first
    in_parts = _is_in_parts(image, across, down, resample)
    if in_parts:
        x0, x1, width, left = across.part
        y0, y1, height, top = down.part
    worth_it = top > 0.1 * height and down.size >= _WORTH_TWO_STEPS * down.resized
    if in_parts and (worth_it or not is_across_first(image.size, (width, height))):
        image = _resize_across(image, (x0, x1), width, down, resample)
        x0, x1 = 0, width
    part = image.resize((width, height), resample, (x0, y0, x1, y1))
    return part.crop((left, top, left + across.count, top + down.count))


def _resize_across(
    image: Image.Image,
    box: tuple[float, float],
    width: int,
    down: Axis,
    resample: Image.Resampling,
) -> Image.Image:
    """Do the horizontal pass of a resize for the rows that the crop needs; others stay black.

    Down, the scale is 1, at which all of Pillow's filters leave every pixel as it is.
    """
    first, last = down.seen
    rows = image.resize((width, last - first), resample, (box[0], first, box[1], last))
    narrow = Image.new("RGB", (width, down.size))
    narrow.paste(rows, (0, first))
    return narrow

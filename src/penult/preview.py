"""What a network sees of an image."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from penult.errors import ImageError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

    from penult.recipe import Preprocessing

__all__ = ["in_words", "network_input"]


def network_input(
    path: str | Path, preprocessing: Preprocessing, *, normalized: bool = False
) -> Image.Image:
    """Show an image as a network sees it: upright, resized, cropped.

    Parameters
    ----------
    path : image file
    normalized : show the numbers that go into the network, not the pixels they come from: the
        lowest that any pixel could give is black, the highest white, and the network's first
        channel is shown as red

    Returns
    -------
    Pillow image of mode RGB and of the network's input size

    Raises
    ------
    ImageError
        Names the file.
    """
    from PIL import Image

    from penult.images.in_memory import as_records
    from penult.images.pixels.transform import Transform
    from penult.images.read import read_pixels

    (record,) = as_records([path])
    try:
        # None only for images whose rows are known, which no one claims here.
        pixels = cast("NDArray[np.uint8]", read_pixels(record, Transform(preprocessing))[0])
    except ImageError as error:
        raise ImageError(f"{path}: {error}") from error
    if normalized:
        if preprocessing.channels == "BGR":
            pixels = pixels[:, :, ::-1]
        mean, std = np.array(preprocessing.mean), np.array(preprocessing.std)
        low, high = (-mean / std).min(), ((1 - mean) / std).max()
        values = (pixels / 255 - mean) / std
        pixels = np.rint((values - low) / (high - low) * 255).astype(np.uint8)
    return Image.fromarray(pixels)


def in_words(preprocessing: Preprocessing) -> list[str]:
    """Say in sentences what is done to an image, in order."""
    p = preprocessing
    lines = []
    if isinstance(p.resize, tuple):
        lines.append(f"squashed to {p.resize[1]} × {p.resize[0]} pixels ({p.interpolation})")
    elif p.resize is not None:
        lines.append(f"resized until the shorter edge is {p.resize} pixels ({p.interpolation})")
    if p.crop is not None:
        lines.append(f"cropped to the central {p.crop[1]} × {p.crop[0]} pixels")
    order = ", ".join({"R": "red", "G": "green", "B": "blue"}[c] for c in p.channels)
    lines.append(
        f"(pixel / 255 − mean) / std for {order}: mean {_numbers(p.mean)}, std {_numbers(p.std)}"
    )
    return lines


def _numbers(values: tuple[float, ...]) -> str:
    return ", ".join(f"{value:.6g}" for value in values)

"""Images that are much longer than wide."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["middle_of_strip"]

_LONGEST = 16
"""Times as long as it is wide."""


def middle_of_strip(image: Image.Image) -> Image.Image:
    """Leave the ends out of an image more than 16 times as long as it is wide.

    All of it would be a line of which nothing can be seen.
    """
    width, height = image.size
    wide, high = min(width, _LONGEST * height), min(height, _LONGEST * width)
    if (wide, high) == image.size:
        return image
    left, top = (width - wide) // 2, (height - high) // 2
    return image.crop((left, top, left + wide, top + high))

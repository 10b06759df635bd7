"""Views of one image: the same photo mirrored, or cropped elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["CENTER", "VIEWS", "Place", "View", "Views"]

Place = Literal["center", "top left", "top right", "bottom left", "bottom right"]
Views = Literal["flip", "five-crop", "ten-crop"]


@dataclass(frozen=True)
class View:
    """One way to look at an image.

    Attributes
    ----------
    place : {"center", "top left", "top right", "bottom left", "bottom right"}
        Where the crop is taken from the resized image.
    flipped : bool
        Whether the crop is mirrored, left to right. (torchvision's ``TenCrop`` mirrors the image
        first, which differs by one pixel for the centre of an odd margin. This way a mirrored view
        follows from the view itself, so that an exported graph is given one image a photo.)
    """

    place: Place = "center"
    flipped: bool = False


CENTER = View()
"""What a network sees of an image where nothing else is asked for."""

_FIVE = (View("top left"), View("top right"), View("bottom left"), View("bottom right"), CENTER)

VIEWS: dict[str, tuple[View, ...]] = {
    "flip": (CENTER, View(flipped=True)),
    "five-crop": _FIVE,
    "ten-crop": (*_FIVE, *(View(_FIVE[k].place, flipped=True) for k in (1, 0, 3, 2, 4))),
}
"""The views of each name, in the order of torchvision's ``FiveCrop`` and ``TenCrop``."""

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
        Whether the resized image is mirrored, left to right, before the crop is taken. So a photo
        and its mirror image have the same views in flipped pairs, also where the margin is odd and
        the centre crop lies half a pixel beside the centre.
    """

    place: Place = "center"
    flipped: bool = False


CENTER = View()
"""What a network sees of an image where nothing else is asked for."""

_PLACES: tuple[Place, ...] = ("top left", "top right", "bottom left", "bottom right", "center")
_FIVE = tuple(View(place) for place in _PLACES)

VIEWS: dict[str, tuple[View, ...]] = {
    "flip": (CENTER, View(flipped=True)),
    "five-crop": _FIVE,
    "ten-crop": (*_FIVE, *(View(place, flipped=True) for place in _PLACES)),
}
"""The views of each name; the crops are those of torchvision's ``FiveCrop`` and ``TenCrop``."""

"""A heat map over what the network saw of the photo."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from penult.reporting.figures.colors import LINE, WRONG

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

    from penult.records import HeatMap

__all__ = ["colored", "overlay"]

_PALE = 0.4
"""How far the photo, in grey, is taken towards white, so that dark colours stand out."""
_MOST = 0.88
"""How much of the photo the strongest colour covers."""


def overlay(heat: HeatMap, *, side: int | None = None, limit: float | None = None) -> Image.Image:
    """Colour the places of a photo.

    The photo is grey and pale. Violet is above 0, orange below, and stronger further away from it.
    Between the middles of places, values are interpolated.

    Parameters
    ----------
    heat : HeatMap
        Such as those of a `penult.records.ClassActivation`.
    side : int, optional
        Of the longer side, in pixels; as large as what the network saw by default.
    limit : float, optional
        Where a colour is strongest, on both sides of 0; the largest absolute value by default. Maps
        that are compared need the same.

    Returns
    -------
    Pillow image of mode RGB
    """
    from PIL import Image

    photo = Image.fromarray(heat.seen)
    if side is not None:
        factor = side / max(photo.size)
        size = (max(1, round(photo.width * factor)), max(1, round(photo.height * factor)))
        photo = photo.resize(size, Image.Resampling.LANCZOS)
    if limit is None:
        limit = float(np.abs(heat.values).max())
    places = Image.fromarray(np.ascontiguousarray(heat.values, np.float32))
    values = np.asarray(places.resize(photo.size, Image.Resampling.BILINEAR))
    grey = np.asarray(photo.convert("L"), np.float32)[:, :, None]
    pale = grey + (255 - grey) * _PALE
    color, share = colored(values / limit if limit > 0 else 0 * values)
    mixed = pale + (color - pale) * (_MOST * share[:, :, None])
    return Image.fromarray(np.rint(mixed).astype(np.uint8))


def colored(values: NDArray[np.floating]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The colours of numbers from -1 to 1.

    Parameters
    ----------
    values : array, shape (…)

    Returns
    -------
    color : float32 array, shape (…, 3)
        RGB, from 0 to 255.
    share : float32 array, shape (…)
        How strong it is, from 0 to 1.
    """
    above, below = (np.array(_rgb(one), np.float32) for one in (LINE, WRONG))
    color = np.where(np.asarray(values)[..., None] >= 0, above, below)
    return color, np.clip(np.abs(values), 0, 1).astype(np.float32)


def _rgb(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)

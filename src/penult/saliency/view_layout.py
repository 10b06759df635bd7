"""Maps of several views of a photo, laid together on the photo."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from penult.recipe import View

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["lay_together", "picture_of_views"]

_UNSEEN = 255
"""White, where no view shows the photo."""

Corners = Mapping[View, tuple[int, int]]
"""(x, y) of each view's top left pixel; see `penult.images.pixels.transform.Transform.corners`."""


def lay_together(
    maps: Mapping[View, NDArray[np.float64]], corners: Corners, size: tuple[int, int]
) -> NDArray[np.float64]:
    """Add up maps of several views, each where its view was cut from the photo.

    Mirrored views are mirrored back. The places of the sum are as large as those of the maps, as
    nearly as they divide evenly what the views show together. A place that lies across several of
    them is divided in proportion to their areas, so that the sum of all numbers stays the same.

    Parameters
    ----------
    maps : mapping of View to float64 array, shape (h, w)
        A map for each view, all of one shape.
    corners : mapping of View to (int, int)
        (x, y) of the top left pixel of each view.
    size : (int, int)
        (height, width) of a view, in pixels.

    Returns
    -------
    float64 array, shape (H, W)
        As the maps themselves, where all views are cut in one place.
    """
    left, top, right, bottom = _bounds({view: corners[view] for view in maps}, size)
    total: NDArray[np.float64] | None = None
    for view, given in maps.items():
        x, y = corners[view]
        values = given[:, ::-1] if view.flipped else given
        down = _shares(len(values), y - top, size[0], bottom - top)
        across = _shares(values.shape[1], x - left, size[1], right - left)
        laid = down @ values @ across.T
        total = laid if total is None else total + laid
    assert total is not None
    return total


def picture_of_views(
    pixels: Mapping[View, NDArray[np.uint8]], corners: Corners
) -> NDArray[np.uint8]:
    """Put views of a photo together to what they show of it.

    Parameters
    ----------
    pixels : mapping of View to uint8 array, shape (h, w, 3)
        All of one shape.
    corners : mapping of View to (int, int)
        As for `lay_together`.

    Returns
    -------
    uint8 array, shape (H, W, 3)
        White where no view shows the photo.
    """
    height, width = next(iter(pixels.values())).shape[:2]
    left, top, right, bottom = _bounds({view: corners[view] for view in pixels}, (height, width))
    canvas = np.full((bottom - top, right - left, 3), _UNSEEN, np.uint8)
    for view, seen in pixels.items():
        x, y = corners[view][0] - left, corners[view][1] - top
        canvas[y : y + height, x : x + width] = seen[:, ::-1] if view.flipped else seen
    return canvas


def _bounds(corners: Corners, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what all views show together."""
    across, down = zip(*corners.values(), strict=True)
    return min(across), min(down), max(across) + size[1], max(down) + size[0]


def _shares(places: int, first: int, length: int, whole: int) -> NDArray[np.float64]:
    """Which part of each place of a view lies in each place of the whole, along one edge.

    Parameters
    ----------
    places : of the view
    first, length : where the view begins, and its pixels
    whole : pixels of all views together

    Returns
    -------
    float64 array, shape (places of the whole, places)
        Each column sums to one.
    """
    many = max(1, round(whole * places / length))
    starts = first + np.arange(places + 1) * (length / places)
    edges = np.arange(many + 1) * (whole / many)
    ends = np.minimum(edges[1:, None], starts[None, 1:])
    overlap = np.clip(ends - np.maximum(edges[:-1, None], starts[None, :-1]), 0, None)
    return np.asarray(overlap / overlap.sum(0))

"""Where on a map the names of groups have room: beside their dots, as far as there is any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from penult.reporting.figures.row_map.raster import Raster

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Box", "NamedDots", "place_names"]

_GAP = 2.0  # pixels between two names
_AWAY = 2.5  # heights of a name, as far as which it may lie from its dots
_CORE = 60  # dots of a group to which a name's distance is measured

_CLEAR = 5.0  # pixels around a name that no dot should lie in

# What a place costs. Hiding dots all over a name is as bad as lying three heights away.
_HIDES = 3.0
_OWN = 1.0  # all dots of its own group, of which there may be few
_APART = 1.0  # a height away from the nearest dot of its group
_ASIDE = 0.08  # a height away from where the group is densest
_SIDEWARDS = 0.25  # its own width to the left or right of there
_OTHERS = 1.2  # all dots around it are those of others


@dataclass(frozen=True)
class Box:
    """A rectangle, in the figure's pixels.

    Attributes
    ----------
    x, y : float
        Its middle.
    width, height : float
    """

    x: float
    y: float
    width: float
    height: float

    def overlaps(self, other: Box) -> bool:
        """Whether they come nearer to each other than a small gap."""
        return (
            abs(self.x - other.x) < (self.width + other.width) / 2 + _GAP
            and abs(self.y - other.y) < (self.height + other.height) / 2 + _GAP
        )

    def nearest(self, points: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """How far it is from the nearest of some points, shape (n, 2), and which that is."""
        half = (self.width / 2, self.height / 2)
        away = np.linalg.norm(np.maximum(np.abs(points - (self.x, self.y)) - half, 0), axis=1)
        first = int(away.argmin())
        return float(away[first]), points[first]


@dataclass(frozen=True)
class NamedDots:
    """A group whose name is to be placed, in the figure's pixels.

    Attributes
    ----------
    dots : float64 array, shape (n, 2)
        Its dots.
    center : float64 array, shape (2,)
        Where they are densest.
    width, height : float
        Of its name.
    """

    dots: NDArray[np.float64]
    center: NDArray[np.float64]
    width: float
    height: float

    @property
    def core(self) -> NDArray[np.float64]:
        """Up to sixty of the half of the dots that is nearest to the center, shape (n, 2)."""
        away = np.linalg.norm(self.dots - self.center, axis=1)
        near = np.argsort(away, kind="stable")[: max(1, (len(away) + 1) // 2)]
        some = np.unique(np.linspace(0, len(near) - 1, _CORE).astype(int))
        core: NDArray[np.float64] = self.dots[near[some]]
        return core


def place_names(
    groups: Sequence[NamedDots],
    frame: Box,
    *,
    dots: NDArray[np.float64],
    radius: float,
    pictures: Sequence[Box] = (),
) -> list[Box | None]:
    """Find a place for each name at which it hides few dots and is taken for no other group's.

    Each in turn takes the place of least cost among those around its group that no name has: a sum
    of how much of it lies on dots, how far it is from its own, and how many of those around it are
    others'. So it lies beside a group where there is room, and on it in a crowd.

    Parameters
    ----------
    groups : sequence of NamedDots
        The most important first.
    frame : Box
        Where names have to lie.
    dots : float64 array, shape (N, 2)
        All that are drawn, of a group or of none.
    radius : float
        Of a dot.
    pictures : sequence of Box
        What else is drawn that names should not hide.

    Returns
    -------
    list of (Box or None), one for each
        None where there is no room.
    """
    everything = Raster.around(frame.x, frame.y, frame.width, frame.height)
    drawn = everything.of_dots(dots, radius)
    for one in pictures:
        drawn = drawn.with_box(one.x, one.y, one.width, one.height)
    hidden, crowd = drawn.sums(), everything.of_dots(dots).sums()
    taken = np.empty((0, 4))
    result: list[Box | None] = []
    for group in groups:
        size = np.array([group.width, group.height])
        places = _free(_around(group, frame), size, taken)
        if not len(places):
            result.append(None)
            continue
        core, height = group.core, group.height
        outside = np.maximum(np.abs(places[:, None] - core) - size / 2, 0)
        # So far away as is clear of the nearest dot, rounded to cells, it costs nothing.
        beside = radius + _CLEAR + everything.cell
        apart = np.maximum(np.linalg.norm(outside, axis=2).min(axis=1) - beside, 0) / height
        aside = np.linalg.norm(np.maximum(np.abs(places - group.center) - size / 2, 0), axis=1)
        sidewards = np.abs(places[:, 0] - group.center[0]) / group.width
        own = everything.of_dots(group.dots).sums()
        near = size + 2 * beside + height
        all_near, own_near = crowd.inside(places, near), own.inside(places, near)
        others = 1 - own_near / np.maximum(all_near, 1)
        others[all_near == 0] = 0.5  # nothing says whose it is
        clear = size + 2 * _CLEAR
        cost = (
            _HIDES * hidden.inside(places, clear) / np.prod(clear / everything.cell)
            + _OWN * own.inside(places, clear) / len(group.dots)
            + _APART * apart
            + _ASIDE * aside / height
            + _SIDEWARDS * sidewards
            + _OTHERS * others
        )
        x, y = places[int(cost.argmin())].tolist()
        result.append(Box(x, y, group.width, group.height))
        taken = np.vstack([taken, [x, y, group.width, group.height]])
    return result


def _around(group: NamedDots, frame: Box) -> NDArray[np.float64]:
    """Middles of boxes in the frame, on a grid around the core of a group; shape (m, 2)."""
    size = np.array([group.width, group.height])
    middle, reach = np.array([frame.x, frame.y]), np.array([frame.width, frame.height]) / 2
    if (size / 2 > reach).any():
        return np.empty((0, 2))
    core = group.core
    margin = size / 2 + _AWAY * group.height
    low, high = core.min(axis=0) - margin, core.max(axis=0) + margin
    low = np.clip(low, middle - reach + size / 2, middle + reach - size / 2)
    high = np.clip(high, middle - reach + size / 2, middle + reach - size / 2)
    steps = np.clip(np.ceil((high - low) / (group.height / 3)), 1, 60).astype(int)
    xs, ys = (np.linspace(low[k], high[k], steps[k] + 1) for k in (0, 1))
    grid = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)
    # First the place itself, which is taken where all cost the same.
    center = np.clip(group.center, middle - reach + size / 2, middle + reach - size / 2)
    return np.vstack([center, grid])


def _free(
    places: NDArray[np.float64], size: NDArray[np.float64], taken: NDArray[np.float64]
) -> NDArray[np.float64]:
    if not len(places):
        return places
    low, high = places.min(axis=0), places.max(axis=0)
    reach = (size + taken[:, 2:]) / 2 + _GAP
    near = (taken[:, :2] > low - reach) & (taken[:, :2] < high + reach)
    for one in taken[near.all(axis=1)]:
        apart = np.abs(places - one[:2]) >= (size + one[2:]) / 2 + _GAP
        places = places[apart.any(axis=1)]
    return places

"""The classes of a map: which rows are of each, and where each is densest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from penult.reporting.figures.row_map.marks import NOTHING
from penult.web.map.palette import NO_AND_YES, NOISE, color_order, is_cluster

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records import RowMap
    from penult.web.map.palette import Category

__all__ = ["Group", "densest", "groups_of", "is_noise"]

_SHARE = 10  # a tenth of a class's points make the place where it is densest
_FEWEST = 8  # but so many, or most of a small class: two near-duplicates are no dense place
_MOST = 2_000  # points of a class that are looked at


@dataclass(frozen=True)
class Group:
    """Rows of one class.

    Attributes
    ----------
    name : str
    rows : int64 array, shape (n,)
        Places on the map.
    center : float64 array, shape (2,)
        Where they are densest.
    color : str or None
        That of noise, and of what is false or true, as ``#rrggbb``; None for one of its own.
    """

    name: str
    rows: NDArray[np.int64]
    center: NDArray[np.float64]
    color: str | None = None


def groups_of(row_map: RowMap, color_by: str | None) -> list[Group]:
    """Find the classes, in the order in which a legend has them.

    Parameters
    ----------
    row_map : RowMap
    color_by : str or None
        The column; None for no classes.

    Returns
    -------
    list of Group
        A row of several labels is in the group of each.
    """
    if color_by is None or color_by not in row_map.columns:
        return []
    rows: dict[Category, list[int]] = {}
    for place, value in enumerate(row_map.columns[color_by]):
        if value is not None:
            parts = str(value).split("|") if color_by in row_map.joined else [value]
            for one in dict.fromkeys(parts):
                rows.setdefault(one, []).append(place)  # type: ignore[arg-type]
    groups = []
    for value in color_order(color_by, rows):
        name, color = str(value), None
        if isinstance(value, bool):
            name, color = ("no", "yes")[value], NO_AND_YES[value]
        elif is_cluster(color_by) and value == NOISE:
            name, color = "noise", NOTHING
        groups.append(Group(name, np.array(rows[value]), densest(row_map.xy[rows[value]]), color))
    return groups


def is_noise(group: Group) -> bool:
    """Whether it is no class: rows in none of the clusters."""
    return group.color == NOTHING


def densest(xy: NDArray[np.float32]) -> NDArray[np.float64]:
    """Find where points are densest: the middle of the closest tenth of them, of few points more.

    That is the point whose distance to its k-th nearest is least, k being a tenth of all, or 8, or
    more than half of fewer than 16, and the mean of these k; an outlier, a pair of near-duplicates,
    or a second and smaller heap does not move it.

    Parameters
    ----------
    xy : float32 array, shape (n, 2)

    Returns
    -------
    float64 array, shape (2,)
    """
    from scipy.spatial import KDTree

    points = np.asarray(xy, np.float64)
    if len(points) > _MOST:
        points = points[np.linspace(0, len(points) - 1, _MOST).astype(int)]
    k = max(len(points) // _SHARE, min(_FEWEST, len(points) // 2 + 1))
    if len(points) <= k:
        middle: NDArray[np.float64] = points.mean(axis=0)
        return middle
    away, near = KDTree(points).query(points, k)
    closest: NDArray[np.float64] = points[near[int(away[:, -1].argmin())]].mean(axis=0)
    return closest

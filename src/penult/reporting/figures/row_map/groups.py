"""The classes of a map: which rows are of each, and where each is densest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from penult.web.map.palette import color_order

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records import RowMap

__all__ = ["Group", "densest", "groups_of"]

_SHARE = 10  # a tenth of a class's points make the place where it is densest
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
    """

    name: str
    rows: NDArray[np.int64]
    center: NDArray[np.float64]


def groups_of(row_map: RowMap, color_by: str | None) -> list[Group]:
    """Find the classes, in the order of their names.

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
    several = color_by == "label" and row_map.several_labels
    rows: dict[str, list[int]] = {}
    for place, value in enumerate(row_map.columns[color_by]):
        if value is not None:
            for name in value.split("|") if several else [value]:
                rows.setdefault(name, []).append(place)
    return [
        Group(name, np.array(rows[name]), densest(row_map.xy[rows[name]]))
        for name in color_order(color_by, rows)
    ]


def densest(xy: NDArray[np.float32]) -> NDArray[np.float64]:
    """Find where points are densest: the middle of the closest tenth of them.

    That is the point whose distance to its k-th nearest is least, k being a tenth of all, and the
    mean of these k; an outlier, or a second and smaller heap, does not move it.

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
    k = max(2, len(points) // _SHARE)
    if len(points) <= k:
        middle: NDArray[np.float64] = points.mean(axis=0)
        return middle
    away, near = KDTree(points).query(points, k)
    closest: NDArray[np.float64] = points[near[int(away[:, -1].argmin())]].mean(axis=0)
    return closest

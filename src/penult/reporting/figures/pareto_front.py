"""The points that no other is better than."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

__all__ = ["pareto_front", "staircase"]


def pareto_front(
    costs: Sequence[float], scores: Sequence[float], *, lower: bool = True
) -> list[int]:
    """Return the places of the points that are on the Pareto front.

    A point is on it if no other has as good a cost and as high a score, and is better in one of
    the two. Points that are equal in both are on it together.

    Parameters
    ----------
    costs, scores : of each point
    lower : low costs are good ones; otherwise high ones, as of images a second

    Returns
    -------
    list of int
        From the lowest cost to the highest.
    """
    sign = 1 if lower else -1
    # The best cost first, and of equal costs the highest score: a point is on the front if its
    # score is above all before it, or it equals the last that was.
    order = sorted(range(len(costs)), key=lambda k: (sign * costs[k], -scores[k]))
    front: list[int] = []
    for k in order:
        last = front[-1] if front else None
        equal = last is not None and (costs[k], scores[k]) == (costs[last], scores[last])
        if last is None or equal or scores[k] > scores[last]:
            front.append(k)
    return front[::sign]


def staircase(
    points: Sequence[tuple[float, float]],
    x_limits: tuple[float, float],
    bottom: float,
    *,
    lower: bool = True,
) -> list[tuple[float, float]]:
    """Return the corners of the line along a front: the best score that can be had at each cost.

    Parameters
    ----------
    points : of the front, from the lowest cost to the highest
    x_limits, bottom : where the axes end
    lower : low costs are good ones
    """
    if not lower:
        mirrored = [(-x, y) for x, y in reversed(points)]
        corners = staircase(mirrored, (-x_limits[1], -x_limits[0]), bottom)
        return [(-x, y) for x, y in reversed(corners)]
    corners = [(points[0][0], bottom), points[0]]
    for before, after in pairwise(points):
        corners += [(after[0], before[1]), after]
    return [*corners, (x_limits[1], points[-1][1])]

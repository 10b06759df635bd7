"""Where the names of points are written, so that none covers another, or a point.

adjustText and textalloc move labels for a while and leave what then still overlaps: of 30 networks
with long names 4 and 12 pairs of labels, of 15 at one place 4 and 10. Here a label is put only
where nothing is, the nearest place first; one that has no such place inside the axes has a line of
its own in a column beside them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import cos, hypot, pi, sin
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Box", "Label", "in_margin", "place_labels"]

GAP = 2.5  # points between a marker and its name
APART = 1.5  # between two names
# Lengths in points of the lines from points to their names; to 0 there is none.
LENGTHS = (0.0, 10.0, 16.0, 24.0, 34.0, 46.0, 60.0, 76.0, 94.0)
ANGLES = 24
# What a place may cost beside its distance, in points that another may be farther away for it.
OVER_LINE, OVER_MARKER, CROSSING = 12.0, 25.0, 30.0

# Each with what it costs: the right is best, then the left, then what is near to either.
_DIRECTIONS = sorted(
    (0.1 * min(turn, ANGLES - turn, abs(ANGLES // 2 - turn) + 0.5), 2 * pi * turn / ANGLES)
    for turn in range(ANGLES)
)

Side = Literal["left", "center", "right"]


@dataclass(frozen=True)
class Box:
    """A rectangle, in points; y grows upwards."""

    left: float
    bottom: float
    right: float
    top: float

    def grown(self, by: float) -> Box:
        """Return it with a border around it."""
        return Box(self.left - by, self.bottom - by, self.right + by, self.top + by)

    def within(self, other: Box) -> bool:
        """Say whether no part of it is outside another."""
        return (
            self.left >= other.left
            and self.right <= other.right
            and self.bottom >= other.bottom
            and self.top <= other.top
        )


@dataclass(frozen=True)
class Label:
    """Where a name is written.

    Attributes
    ----------
    box : what it covers
    anchor : (x, y), the point of the box that is nearest to its marker, where a line would end
    align : on which side of the text the anchor is
    leader : whether a line has to lead from the marker to it
    """

    box: Box
    anchor: tuple[float, float]
    align: Side
    leader: bool


def place_labels(
    points: Sequence[tuple[float, float]],
    sizes: Sequence[tuple[float, float]],
    frame: Box,
    *,
    radius: float,
    first: Sequence[int] = (),
    lines: Sequence[tuple[tuple[float, float], tuple[float, float]]] = (),
    most: float,
) -> list[Label | None]:
    """Find a place for the name of each point: the nearest that is free, one point after another.

    Parameters
    ----------
    points : (x, y) of each, in points
    sizes : (width, height) of each name
    frame : no name leaves it
    radius : of the markers, which no name covers
    first : points whose names come first, and so nearest
    lines : what names should rather not cover
    most : what a place may cost: the length of the line to it, and more for what that crosses

    Returns
    -------
    list of Label or None
        None where no place is free.
    """
    import numpy as np

    at = np.asarray(points, dtype=float).reshape(-1, 2)
    markers = np.hstack([at - radius - 1, at + radius + 1])
    beneath = _segments(lines)
    result: list[Label | None] = [None] * len(points)
    order = [*dict.fromkeys(first), *(k for k in range(len(points)) if k not in set(first))]
    for k in order:
        others = [one for one in result if one is not None]
        boxes = np.array([_corners(one.box.grown(APART)) for one in others]).reshape(-1, 4)
        leaders = _segments(
            [
                (points[j], one.anchor)
                for j, one in enumerate(result)
                if one is not None and one.leader
            ]
        )
        least = most
        far = markers[np.abs(at - at[k]).max(axis=1) > radius]
        taken = np.vstack([boxes, markers])
        for price, label in _candidates(points[k], sizes[k], radius):
            if price >= least:
                break
            if not label.box.within(frame):
                continue
            box = np.array(_corners(label.box))
            if _touching(box, taken).any() or _crossed(box, leaders).any():
                continue
            price += OVER_LINE * int(_crossed(box, beneath).sum())
            if label.leader and price < least:
                line = np.array([*points[k], *label.anchor])
                if _crossed(boxes, line).any():
                    continue
                price += OVER_MARKER * int(_crossed(far, line).sum())
                price += CROSSING * sum(_meet(line, one) for one in leaders)
            if price < least:
                least, result[k] = price, label
    return result


def in_margin(
    points: Sequence[tuple[float, float]], sizes: Sequence[tuple[float, float]], frame: Box
) -> list[Label]:
    """Put names one below another, in a column at the right of the frame, as high as their points.

    The column is as high as its names, though the frame be lower.
    """
    left = frame.right + 16
    order = sorted(range(len(points)), key=lambda k: (-points[k][1], points[k][0]))
    heights = [sizes[k][1] + APART for k in order]
    tops: list[float] = []
    for place, k in enumerate(order):
        # Not above the frame's top, nor so low that those after it would leave its bottom.
        wanted = points[k][1] + heights[place] / 2
        below = frame.bottom + sum(heights[place:])
        above = tops[-1] - heights[place - 1] if tops else frame.top
        tops.append(min(max(wanted, below), above))
    placed: dict[int, Label] = {}
    for k, top in zip(order, tops, strict=True):
        width, height = sizes[k]
        box = Box(left, top - height, left + width, top)
        placed[k] = Label(box, (left, top - height / 2), "left", leader=True)
    return [placed[k] for k in range(len(points))]


def _candidates(
    point: tuple[float, float], size: tuple[float, float], radius: float
) -> Iterator[tuple[float, Label]]:
    """Yield places for a name with their prices, the nearest first."""
    for length in LENGTHS:
        near = radius + GAP + length
        for price, angle in _DIRECTIONS:
            anchor = (point[0] + near * cos(angle), point[1] + near * sin(angle))
            yield length + price, _label(anchor, angle, size, leader=length > 0)


def _label(
    anchor: tuple[float, float], angle: float, size: tuple[float, float], *, leader: bool
) -> Label:
    (x, y), (width, height) = anchor, size
    if abs(cos(angle)) < 0.3:
        bottom = y if sin(angle) > 0 else y - height
        return Label(
            Box(x - width / 2, bottom, x + width / 2, bottom + height), anchor, "center", leader
        )
    left = x if cos(angle) > 0 else x - width
    side: Side = "left" if cos(angle) > 0 else "right"
    return Label(Box(left, y - height / 2, left + width, y + height / 2), anchor, side, leader)


def _corners(box: Box) -> tuple[float, float, float, float]:
    return box.left, box.bottom, box.right, box.top


def _segments(lines: Sequence[Any]) -> NDArray[Any]:
    import numpy as np

    return np.array([(*start, *end) for start, end in lines], dtype=float).reshape(-1, 4)


def _touching(box: Any, boxes: NDArray[Any]) -> NDArray[Any]:
    """Say of each of some boxes whether it overlaps one."""
    left, bottom, right, top = box
    across = (boxes[:, 0] < right) & (left < boxes[:, 2])
    found: NDArray[Any] = across & (boxes[:, 1] < top) & (bottom < boxes[:, 3])
    return found


def _crossed(boxes: NDArray[Any], segments: NDArray[Any]) -> NDArray[Any]:
    """Say whether a part of a line segment is in a box (Liang and Barsky): of one, or of many."""
    import numpy as np

    low, high = boxes[..., :2], boxes[..., 2:]
    # A segment along an axis is given a slope, which is not seen and spares a division by 0.
    start, step = segments[..., :2], segments[..., 2:] - segments[..., :2]
    step = np.where(np.abs(step) < 1e-9, 1e-9, step)
    one, other = (low - start) / step, (high - start) / step
    enter = np.maximum(np.minimum(one, other).max(axis=-1), 0)
    leave = np.minimum(np.maximum(one, other).min(axis=-1), 1)
    found: NDArray[Any] = enter < leave
    return found


def _meet(one: Any, other: Any) -> bool:
    """Say whether two line segments cross."""

    def side(line: Any, x: float, y: float) -> float:
        return float((line[2] - line[0]) * (y - line[1]) - (line[3] - line[1]) * (x - line[0]))

    if hypot(one[0] - other[0], one[1] - other[1]) < 1e-6:
        return False  # of one marker
    apart = side(one, other[0], other[1]) * side(one, other[2], other[3]) < 0
    return apart and side(other, one[0], one[1]) * side(other, one[2], one[3]) < 0

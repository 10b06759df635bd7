"""Where on a map the names of groups have room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Box", "place_names"]

_GAP = 2.0
# Around the place itself: eight directions, first the sides, where a line of text reads best.
_DIRECTIONS = ((0, 0), (0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (-1, 1), (1, -1), (-1, -1))
_RINGS = 5


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

    def within(self, frame: Box) -> bool:
        """Whether it lies in a frame."""
        return (
            abs(self.x - frame.x) <= (frame.width - self.width) / 2
            and abs(self.y - frame.y) <= (frame.height - self.height) / 2
        )


def place_names(wanted: Sequence[Box], frame: Box) -> list[Box | None]:
    """Move names so that none lies on another; those for which there is no room are left out.

    Each in turn takes the nearest free place around its own, up to five times its height away.

    Parameters
    ----------
    wanted : sequence of Box
        Where they would be best, the most important first.
    frame : Box
        Where they have to lie.

    Returns
    -------
    list of (Box or None), one for each
    """
    taken: list[Box] = []
    result: list[Box | None] = []
    for box in wanted:
        free = next(
            (one for one in _around(box, frame) if not any(map(one.overlaps, taken))),
            None,
        )
        if free is not None:
            taken.append(free)
        result.append(free)
    return result


def _around(box: Box, frame: Box) -> list[Box]:
    places = [(0.0, 0.0)]
    for ring in range(1, _RINGS + 1):
        up = ring * box.height
        # Sidewards by no more than the name is long, or it would be taken for another's.
        across = min(ring / 2, 1) * box.width
        places += [(dx * across, dy * up) for dx, dy in _DIRECTIONS[1:]]
    moved = [
        _pulled(Box(box.x + dx, box.y + dy, box.width, box.height), frame) for dx, dy in places
    ]
    return [one for one in moved if one.within(frame)]


def _pulled(box: Box, frame: Box) -> Box:
    """A box that sticks out of the frame, moved into it."""
    across, up = (frame.width - box.width) / 2, (frame.height - box.height) / 2
    x = min(max(box.x, frame.x - across), frame.x + across) if across > 0 else frame.x
    y = min(max(box.y, frame.y - up), frame.y + up) if up > 0 else frame.y
    return Box(x, y, box.width, box.height)

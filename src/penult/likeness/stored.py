"""A likeness as files have it: its description, which JSON can hold, and its rows beside that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.likeness.likeness import Likeness
from penult.parsing import to_record

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["StoredLikeness", "read_likeness", "with_rows"]


@dataclass(frozen=True)
class StoredLikeness:
    """What JSON says of a `Likeness`; see there."""

    threshold: float
    neighbours: int
    kept: int
    calibrated: int
    share: float
    held_out_share: float | None
    lowered_from: float | None = None
    strays: tuple[str, ...] = ()

    def opened(self) -> Likeness:
        """Make the likeness of it, without its rows."""
        return Likeness(**asdict(self))


def read_likeness(description: Mapping[str, Any], rows: NDArray[np.int8], width: int) -> Likeness:
    """Read what somebody wrote.

    Parameters
    ----------
    description : mapping
        As `Likeness.to_dict` makes it; what a newer version adds is ignored.
    rows : int8 array, any shape
    width : int
        Numbers of a row.

    Raises
    ------
    FileFormatError, ValueError
        If it is none.
    """
    stored = to_record(StoredLikeness, description, ignore_unknown=True)
    return with_rows(stored.opened(), rows, width)


def with_rows(likeness: Likeness, rows: NDArray[np.int8] | None, width: int) -> Likeness:
    """Give a description the rows that it speaks of.

    Parameters
    ----------
    rows : int8 array, any shape, or None
    width : int
        Numbers of a row.

    Raises
    ------
    ValueError
        If they are not as many as it says, or its numbers cannot be.
    """
    if (
        rows is None
        or not 1 <= likeness.neighbours <= likeness.kept
        or rows.size != likeness.kept * width
        or not np.isfinite(likeness.threshold)
    ):
        raise ValueError("the rows kept are not those that it describes")
    return replace(likeness, rows=rows.reshape(likeness.kept, width))

"""Rows that are equal to others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from penult.representation import short_repr

__all__ = ["RowCopies"]


@short_repr
@dataclass(frozen=True, kw_only=True)
class RowCopies:
    """Rows that are equal to others, number for number; rows of zeros are not looked at.

    Attributes
    ----------
    rows : int
        Rows that are equal to an earlier one.
    groups : int
        How many different rows occur more than once.
    largest : tuple of str
        A few ids of the largest group; empty where there is none.
    largest_size : int
        How many rows the largest group has.
    """

    rows: int
    groups: int
    largest: tuple[str, ...]
    largest_size: int

    def to_dict(self) -> dict[str, Any]:
        """Write it as what JSON can hold.

        Returns
        -------
        dict
            The attributes, ``groups`` as ``copied``; further keys may come.
        """
        return {
            "rows": self.rows,
            "copied": self.groups,
            "largest": list(self.largest),
            "largest_size": self.largest_size,
        }

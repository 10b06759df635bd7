"""A split in which no near-duplicates are in several parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from penult.representation import short_repr

__all__ = ["RepairedSplit"]


@short_repr
@dataclass(frozen=True, kw_only=True)
class RepairedSplit:
    """A split in which no group of near-duplicates is in several parts.

    Attributes
    ----------
    splits : tuple of str, length N
        The part of each row: "train", "validation", "test", or "" for none.
    moved : int
        Images that are in another part than before.
    before, after : mapping of str to int
        Images of each part.
    share_off : float
        By how much the share of a class in a part differs from before, at most; 0 without labels.
    path : str
        The file that was written; empty where none was.
    """

    splits: tuple[str, ...]
    moved: int
    before: Mapping[str, int]
    after: Mapping[str, int]
    share_off: float = 0.0
    path: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Write it as what JSON can hold.

        Returns
        -------
        dict
            Its attributes by their names, but for the splits themselves.
        """
        return {
            "path": self.path,
            "moved": self.moved,
            "before": dict(self.before),
            "after": dict(self.after),
            "share_off": self.share_off,
        }

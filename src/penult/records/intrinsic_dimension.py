"""In how many ways rows vary near each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from penult.representation import short_repr

__all__ = ["IntrinsicDimension"]


@short_repr
@dataclass(frozen=True, kw_only=True)
class IntrinsicDimension:
    """In how many ways rows vary near each other, estimated from the two nearest of each.

    Attributes
    ----------
    value : float
        The two-NN estimate of Facco, d'Errico, Rodriguez and Laio (2017).
    rows : int
        Rows whose two nearest neighbours it is of.
    left_out : int
        Rows left out since another is so near that it must be a near-duplicate.
    """

    value: float
    rows: int
    left_out: int

    def to_dict(self) -> dict[str, Any]:
        """Write it as what JSON can hold.

        Returns
        -------
        dict
            ``value``, ``measured`` (rows) and ``left_out_rows``; further keys may come.
        """
        return {"value": self.value, "measured": self.rows, "left_out_rows": self.left_out}

"""How many near-duplicates there would be at another threshold."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from penult.representation import short_repr

__all__ = ["ThresholdCount"]


@short_repr
@dataclass(frozen=True, kw_only=True)
class ThresholdCount:
    """How many near-duplicates there would be at a threshold.

    Attributes
    ----------
    threshold : float
        A cosine.
    pairs : int
        Pairs of at least that cosine, or identical.
    groups : int
        Groups that they make.
    images : int
        Images in these groups.
    """

    threshold: float
    pairs: int
    groups: int
    images: int

    def to_dict(self) -> dict[str, Any]:
        """Write it as what JSON can hold.

        Returns
        -------
        dict
            ``threshold``, ``pairs``, ``groups`` and ``images``.
        """
        return asdict(self)

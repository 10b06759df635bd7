"""How well a row map keeps what is near in the full space."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from penult.representation import short_repr

__all__ = ["MapQuality"]


@short_repr
@dataclass(frozen=True, kw_only=True)
class MapQuality:
    """How much of the rows' neighbourhoods is left in two dimensions.

    Attributes
    ----------
    neighbors : int
        How many nearest neighbours of a row are looked at, k.
    kept : float
        Share of the k nearest rows in the full space that are among the k nearest on the map, mean
        over the rows that were measured, in [0, 1].
    chance : float
        That share for points put down at random, k / (N - 1).
    trustworthiness : float
        Of Venna and Kaski (2001), in [0, 1]: 1 where all the k nearest on the map are among the
        k nearest in the full space, and less the farther those that are not are away there.
    measured : int
        Rows whose neighbours were compared; all, or a random sample.
    compared : int
        Rows among which trustworthiness ranks them: it takes all distances, so of many rows it is
        that of a map of so many of them.
    """

    neighbors: int
    kept: float
    chance: float
    trustworthiness: float
    measured: int
    compared: int

    def to_dict(self) -> dict[str, Any]:
        """Write it as what JSON can hold.

        Returns
        -------
        dict
            The attributes by their names; further keys may come.
        """
        return {
            "neighbors": self.neighbors,
            "kept": self.kept,
            "chance": self.chance,
            "trustworthiness": self.trustworthiness,
            "measured": self.measured,
            "compared": self.compared,
        }

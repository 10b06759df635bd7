"""Which regions make two photos alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from penult.records.heat_map import HeatMap
from penult.representation import short_repr

__all__ = ["RegionSimilarity"]


@short_repr
@dataclass(frozen=True, kw_only=True, eq=False)
class RegionSimilarity:
    """What each place of two photos adds to the cosine of their rows.

    Attributes
    ----------
    ids : (str, str)
        The photos.
    cosine : float
        Of their rows, in [-1, 1].
    constants : (float, float)
        For each photo, the part of the cosine that comes from no place; 0 unless rows are
        projected.
    maps : tuple of (HeatMap, HeatMap)
        For each network and layer whose rows are compared, a map of each photo. The numbers of all
        maps of one photo, and its constant, sum to the cosine.
    """

    ids: tuple[str, str]
    cosine: float
    constants: tuple[float, float]
    maps: tuple[tuple[HeatMap, HeatMap], ...]

    @property
    def names(self) -> tuple[str, str]:
        """The photos, told apart also where one is compared with itself."""
        first, second = self.ids
        return self.ids if first != second else (f"{first} (1)", f"{second} (2)")

    def to_dict(self) -> dict[str, Any]:
        """Write it as what JSON can hold.

        Returns
        -------
        dict
            The attributes by their names, maps as lists; further keys may come.
        """
        return {
            "ids": list(self.ids),
            "cosine": self.cosine,
            "constants": list(self.constants),
            "maps": [[one.to_dict() for one in pair] for pair in self.maps],
        }

"""How long rows are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from penult.representation import short_repr

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["NormStatistics"]


@short_repr
@dataclass(frozen=True, kw_only=True)
class NormStatistics:
    """The Euclidean lengths of rows, in the unit of their numbers.

    Attributes
    ----------
    values : float64 array, shape (N,)
        Of each row, in the order of the features.
    shortest : tuple of (str, float)
        Ids and lengths of a few rows, the shortest first.
    longest : tuple of (str, float)
        The longest first.
    """

    values: NDArray[np.float64]
    shortest: tuple[tuple[str, float], ...]
    longest: tuple[tuple[str, float], ...]

    @property
    def mean(self) -> float:
        """Their mean."""
        return float(self.values.mean())

    @property
    def std(self) -> float:
        """Their standard deviation, divided by the number of rows."""
        return float(self.values.std())

    @property
    def zero_rows(self) -> int:
        """How many rows are all zeros, and so have no cosine."""
        return int((self.values == 0).sum())

    def to_dict(self) -> dict[str, Any]:
        """Write it as what JSON can hold.

        Returns
        -------
        dict
            ``mean``, ``std``, ``min``, ``max``, ``zero_rows``, and ``shortest`` and ``longest`` as
            lists of ``id`` and ``norm``; further keys may come.
        """
        return {
            "mean": self.mean,
            "std": self.std,
            "min": float(self.values.min()),
            "max": float(self.values.max()),
            "zero_rows": self.zero_rows,
            "shortest": [{"id": one, "norm": norm} for one, norm in self.shortest],
            "longest": [{"id": one, "norm": norm} for one, norm in self.longest],
        }

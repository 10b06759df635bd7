"""How far rows are from each other, within classes and between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from penult.representation import short_repr

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["ClassDistances", "PairDistances"]


@short_repr
@dataclass(frozen=True, kw_only=True)
class PairDistances:
    """The distances of some pairs of rows.

    Attributes
    ----------
    pairs : int
        How many there are.
    mean : float
        Of their distances.
    std : float
        Of their distances, divided by the number of pairs.
    low, median, high : float
        Their 5th, 50th and 95th percentile.
    histogram : float64 array, shape (b,)
        Share of the pairs in each bin of `ClassDistances.edges`.
    """

    pairs: int
    mean: float
    std: float
    low: float
    median: float
    high: float
    histogram: NDArray[np.float64]

    def to_dict(self) -> dict[str, Any]:
        """Write it as what JSON can hold.

        Returns
        -------
        dict
            ``pairs``, ``mean``, ``std``, and the percentiles ``p5``, ``p50`` and ``p95``; further
            keys may come.
        """
        return {
            "pairs": self.pairs,
            "mean": self.mean,
            "std": self.std,
            "p5": self.low,
            "p50": self.median,
            "p95": self.high,
        }


@short_repr
@dataclass(frozen=True, kw_only=True)
class ClassDistances:
    """How far rows are from each other: all, those of one class, and those of two.

    Attributes
    ----------
    all : PairDistances
        Of all pairs of the rows measured.
    within : PairDistances or None
        Of pairs of the same class, or, of rows with several labels, of pairs that share one.
    between : PairDistances or None
        Of the other pairs whose rows both have a label.
    overlap : float or None
        How often a pair of the same class is farther apart than a pair of two classes, ties
        counting half: 0 where classes are apart, 0.5 where labels mean nothing to the distance.
        It is 1 less the area under the ROC curve. None without pairs of both kinds.
    edges : float64 array, shape (b + 1,)
        Of the bins of their histograms.
    rows : int
        Rows whose pairs these are.
    """

    all: PairDistances
    within: PairDistances | None
    between: PairDistances | None
    overlap: float | None
    edges: NDArray[np.float64]
    rows: int

    def to_dict(self) -> dict[str, Any]:
        """Write it as what JSON can hold.

        Returns
        -------
        dict
            ``all_pairs``, ``within``, ``between``, ``overlap`` and ``measured`` (rows); further
            keys may come.
        """
        return {
            "all_pairs": self.all.to_dict(),
            "within": self.within and self.within.to_dict(),
            "between": self.between and self.between.to_dict(),
            "overlap": self.overlap,
            "measured": self.rows,
        }

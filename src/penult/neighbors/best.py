"""The k nearest rows that each query has found so far."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records.neighbors import Metric

__all__ = ["Best", "ranked"]


def ranked(
    which: NDArray[np.int64], *keys: NDArray[np.generic]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Sort candidates of several queries by query, and within each by keys.

    Parameters
    ----------
    which : int64 array, shape (P,)
        Whose each candidate is.
    *keys : arrays, shape (P,)
        The first counts most; smaller comes first.

    Returns
    -------
    order : int64 array, shape (P,)
        Of the candidates.
    position : int64 array, shape (P,)
        From 0 within its query, of each candidate in that order.
    """
    order = np.lexsort((*reversed(keys), which))
    of = which[order]
    begins = np.flatnonzero(np.diff(of, prepend=-1))
    counts = np.diff(begins, append=len(of))
    return order, np.arange(len(of)) - np.repeat(begins, counts)


class Best:
    """The k nearest rows that each query has found so far, nearest first.

    Parameters
    ----------
    queries : int
        How many, Q.
    k : int
    metric : {"cosine", "euclidean"}
    rank : int64 array, shape (N,), optional
        Of rows that are equally near, those of a smaller rank come first; then those of a smaller
        place.

    Attributes
    ----------
    places : int64 array, shape (Q, k)
        -1 where fewer were found.
    values : float64 array, shape (Q, k)
        NaN where fewer were found.
    """

    def __init__(
        self, queries: int, k: int, metric: Metric, rank: NDArray[np.int64] | None = None
    ) -> None:
        self.places = np.full((queries, k), -1, np.int64)
        self.values = np.full((queries, k), np.nan)
        self._metric: Metric = metric
        self._rank = rank

    @property
    def k(self) -> int:
        """How many rows are kept for each query."""
        return self.places.shape[1]

    def take(self, queries: slice | NDArray[np.int64]) -> Best:
        """Some of the queries; of a slice, what is added is added here too."""
        taken = Best(0, self.k, self._metric, self._rank)
        taken.places, taken.values = self.places[queries], self.values[queries]
        return taken

    def put(self, queries: NDArray[np.int64], taken: Best) -> None:
        """Replace what some of the queries have found by what was taken and added to."""
        self.places[queries], self.values[queries] = taken.places, taken.values

    def add(
        self, which: NDArray[np.int64], places: NDArray[np.int64], values: NDArray[np.float64]
    ) -> None:
        """Take in what was found, in any order; a row may come twice.

        Parameters
        ----------
        which : int64 array, shape (P,)
            Numbers of queries.
        places : int64 array, shape (P,)
            Of rows.
        values : float64 array, shape (P,)
            How near they are; NaN where a row has no cosine, which is not found.
        """
        queries = np.unique(which)
        sign = -1.0 if self._metric == "cosine" else 1.0
        old, column = np.nonzero(self.places[queries] >= 0)
        which = np.concatenate([queries[old], which])
        places = np.concatenate([self.places[queries[old], column], places])
        values = np.concatenate([self.values[queries[old], column], values])
        known = ~np.isnan(values)
        if not known.all():
            which, places, values = which[known], places[known], values[known]
        keys = (sign * values, *(() if self._rank is None else (self._rank[places],)), places)
        order, position = ranked(which, *keys)
        which, places, values = which[order], places[order], values[order]
        once = np.append(True, (np.diff(places) != 0) | (np.diff(which) != 0))[: len(places)]
        if not once.all():
            which, places, values = which[once], places[once], values[once]
            _, position = ranked(which)
        kept = position < self.k
        of = which[kept], position[kept]
        self.places[of], self.values[of] = places[kept], values[kept]

    def last(self) -> NDArray[np.float64]:
        """The value of each query's k-th, NaN where it has fewer; shape (Q,)."""
        return self.values[:, -1]

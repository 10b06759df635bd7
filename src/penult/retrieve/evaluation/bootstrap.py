"""Averages of queries' scores, and their intervals by a bootstrap over the queries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from penult.records import ScoreInterval

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from scipy.sparse import csr_array

__all__ = ["RESAMPLES", "Averages"]

RESAMPLES = 1000
_TAIL = 0.025
_NUMBERS = 1 << 22  # of the drawings that are averaged at once: 32 MB


@dataclass(frozen=True)
class Averages:
    """Scores of queries, to be averaged.

    The intervals are percentiles of a bootstrap (Efron & Tibshirani, *An Introduction to the
    Bootstrap*, 1993, chapter 13): as many queries as there are are drawn with replacement, a
    thousand times, and 95% of their averages lie between the ends. The gallery stays as it is, so
    the intervals say how the average would vary with other queries. What is drawn is a group of
    rows that belong together, with all queries of all runs that it has: copies of one image, and
    one image that queries in several runs, tell no more than one.

    Where all queries have 0, or all 1, every drawing is the same. The other end of the interval is
    then that of Clopper & Pearson (Biometrika 1934) for as many independent queries as there are
    groups.

    Attributes
    ----------
    values : float64 array, shape (Q, M)
        M scores of each query, in [0, 1].
    labels : sparse array, shape (Q, K)
        1 for each label of each query; at least one.
    units : int64 array, shape (Q,)
        What is drawn: the same number to queries that are drawn together.
    """

    values: NDArray[np.float64]
    labels: csr_array
    units: NDArray[np.int64]

    def micro(self, *, seed: int) -> list[ScoreInterval]:
        """Average over the queries, each counting the same."""

        def means(weights: NDArray[np.float64]) -> NDArray[np.float64]:
            found: NDArray[np.float64] = weights @ self.values / weights.sum(axis=1)[:, None]
            return found

        return self._intervals(means, seed)

    def macro(self, *, seed: int) -> list[ScoreInterval]:
        """Average over the labels, each counting the same, the mean over its queries.

        A query of several labels counts for each. Labels of which a bootstrap draws no query are
        left out of that drawing.
        """
        by_label = self.labels.T.tocsr()
        ones = by_label.data

        def means(weights: NDArray[np.float64]) -> NDArray[np.float64]:
            drawings = np.ascontiguousarray(weights.T)
            by_label.data = ones
            counts = by_label @ drawings  # of queries, of each label in each drawing
            drawn = counts > 0
            found = np.empty((len(weights), self.values.shape[1]))
            for column, values in enumerate(self.values.T):
                by_label.data = ones * values[by_label.indices]
                sums = by_label @ drawings
                each = np.divide(sums, counts, out=np.zeros_like(sums), where=drawn)
                found[:, column] = each.sum(axis=0) / drawn.sum(axis=0)
            return found

        return self._intervals(means, seed)

    def _intervals(
        self, means: Callable[[NDArray[np.float64]], NDArray[np.float64]], seed: int
    ) -> list[ScoreInterval]:
        """`means` takes rows of how often each query was drawn, and averages each row's scores."""
        of = np.unique(self.units, return_inverse=True)[1]
        units = int(of.max()) + 1
        rng = np.random.default_rng(seed)
        at_once = max(1, _NUMBERS // max(self.labels.shape))
        drawn = []
        for start in range(0, RESAMPLES, at_once):
            weights = [
                np.bincount(rng.integers(units, size=units), minlength=units)[of]
                for _ in range(min(at_once, RESAMPLES - start))
            ]
            drawn.append(means(np.array(weights, np.float64)))
        (values,) = means(np.ones((1, len(of))))
        low, high = np.quantile(np.concatenate(drawn), [_TAIL, 1 - _TAIL], axis=0)
        certain = _TAIL ** (1 / units)
        low[(self.values == 1).all(axis=0)] = certain
        high[(self.values == 0).all(axis=0)] = 1 - certain
        low, high = np.minimum(low, values), np.maximum(high, values)
        return [ScoreInterval(*map(float, one)) for one in zip(values, low, high, strict=True)]

"""Queries that are compared with all rows together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.errors import SearchError
from penult.neighbors.pair_values import as_asked
from penult.neighbors.rounding import LARGEST, cosine_error, euclidean_error

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records.neighbors import Metric

__all__ = ["Batch"]


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Queries that are compared with all rows together.

    Rows are ordered by scores, of which larger ones are nearer: the cosine x·q / |x| with a query
    of length one; or x·q - |x|²/2, which is (|q|² - |x - q|²) / 2.

    Attributes
    ----------
    metric : {"cosine", "euclidean"}
    asked : float64 array, shape (Q, D)
        Of length one for cosine.
    lengths : float64 array, shape (Q,)
        Of these.
    columns : float32 array, shape (D, Q)
        The same, rounded, as a product with rows takes them; zeros for those whose products might
        overflow, see `errors`.
    """

    metric: Metric
    asked: NDArray[np.float64]
    lengths: NDArray[np.float64]
    columns: NDArray[np.float32]

    @classmethod
    def of(cls, queries: Any, metric: Metric, first: int = 0) -> Batch:
        """Make ready queries, float array of shape (Q, D) or (Q, …).

        Parameters
        ----------
        queries : float array, shape (Q, D) or (Q, …)
        metric : {"cosine", "euclidean"}
        first : int
            The number of the first, for messages.

        Raises
        ------
        SearchError
            If a query is not finite, or is all zeros and has no cosine.
        """
        asked = as_asked(queries, metric)
        lengths = np.sqrt(np.square(asked).sum(axis=1))
        if not (known := np.isfinite(lengths)).all():
            wrong = int(np.flatnonzero(~known)[0])
            plain = as_asked(queries[wrong : wrong + 1], "euclidean")
            what = "is all zeros, which has no cosine"
            if not np.isfinite(plain).all():
                what = "holds NaN or infinite numbers"
            raise SearchError(f"query number {first + wrong} {what}")
        short = np.where((lengths <= LARGEST)[:, None], asked, 0)
        columns = np.ascontiguousarray(short.T, np.float32)
        return cls(metric=metric, asked=asked, lengths=lengths, columns=columns)

    def __len__(self) -> int:
        return len(self.asked)

    def take(self, which: NDArray[np.int64]) -> Batch:
        """Some of the queries."""
        return Batch(
            metric=self.metric,
            asked=self.asked[which],
            lengths=self.lengths[which],
            columns=np.ascontiguousarray(self.columns[:, which]),
        )

    def errors(self, longest: float) -> NDArray[np.float64]:
        """Bound how far scores may be from the values, see `rounding`; shape (Q,).

        Parameters
        ----------
        longest : float
            The largest of the rows' lengths.
        """
        width = self.asked.shape[1]
        if self.metric == "cosine":
            return np.full(len(self), cosine_error(width))
        found = euclidean_error(width, longest, self.lengths)
        return np.where(self.lengths <= LARGEST, found, np.inf)

    def finished(
        self, products: NDArray[np.float64], lengths: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Make scores of products and the rows' lengths, arrays that can be broadcast."""
        return products / lengths if self.metric == "cosine" else products - lengths**2 / 2

    def scores(
        self, values: NDArray[np.float64], which: NDArray[np.int64] | slice = slice(None)
    ) -> NDArray[np.float64]:
        """Give the scores that stand for values, without rounding.

        Parameters
        ----------
        values : float64 array, shape (P,)
            Cosines or distances; NaN where there is none, whose score is -inf.
        which : int64 array, shape (P,), optional
            Whose they are; of all queries, where it is not given.
        """
        lengths = self.lengths[which]
        found = values if self.metric == "cosine" else (lengths**2 - values**2) / 2
        return np.where(np.isnan(found), -np.inf, found)

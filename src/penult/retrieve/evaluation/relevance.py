"""Which rows are relevant to a query: those of the same labels, or of one of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_array

__all__ = ["LabelSets"]


@dataclass(frozen=True)
class LabelSets:
    """The labels of rows: each row has one of a few sets of them.

    Attributes
    ----------
    of : int64 array, shape (N,)
        Each row's set.
    labels : sparse array, shape (S, K)
        1 for each label of each set; every set has at least one.
    """

    of: NDArray[np.int64]
    labels: csr_array

    @classmethod
    def from_targets(cls, targets: NDArray[np.bool_]) -> LabelSets:
        """Find the sets of (N, K) targets."""
        from scipy.sparse import csr_array

        labels, of = np.unique(targets, axis=0, return_inverse=True)
        return cls(of.reshape(-1).astype(np.int64), csr_array(labels.astype(np.int64)))

    @classmethod
    def from_labels(cls, labels: NDArray[np.int64], count: int) -> LabelSets:
        """Make a set of each of `count` labels, of which every row has one."""
        from scipy.sparse import eye_array

        return cls(labels.astype(np.int64), eye_array(count, dtype=np.int64, format="csr"))

    @property
    def several(self) -> bool:
        """Whether any row has more than one label, so that sharing one is not having the same."""
        return bool((self.labels.sum(axis=1) > 1)[np.unique(self.of)].any())

    def of_rows(self, rows: NDArray[np.int64]) -> csr_array:
        """Return the labels of some rows, a sparse (n, K) array."""
        return self.labels[self.of[rows]]

    def same(self, queries: NDArray[np.int64], ranked: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Say which rows have exactly the labels of the query, no more and no fewer.

        Parameters
        ----------
        queries : int64 array, shape (n_queries,)
            Places of rows.
        ranked : int64 array, shape (n_queries, n_ranked)
            Places of rows, for each query in its own order.

        Returns
        -------
        bool array, shape (n_queries, n_ranked)
        """
        found: NDArray[np.bool_] = self.of[ranked] == self.of[queries][:, None]
        return found

    def jaccard(self, queries: NDArray[np.int64], ranked: NDArray[np.int64]) -> NDArray[np.float64]:
        """Divide the labels that a row shares with the query by those that either has.

        Jaccard's index, |A ∩ B| / |A ∪ B| ("The Distribution of the Flora in the Alpine Zone", New
        Phytologist, 1912): 1 where both have the same labels, above 0 where they share one.

        Parameters
        ----------
        queries, ranked : int64 arrays
            As for `same`.

        Returns
        -------
        float64 array, shape (n_queries, n_ranked)
            In [0, 1].
        """
        asked, which = np.unique(self.of[queries], return_inverse=True)
        shared = (self.labels[asked] @ self.labels.T).toarray()
        sizes = self.labels.sum(axis=1)
        index = shared / (sizes[asked][:, None] + sizes - shared)
        found: NDArray[np.float64] = index[which[:, None], self.of[ranked]]
        return found

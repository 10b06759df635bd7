"""How much nearer rows are to their own cluster than to the next: silhouettes, of a sample."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from penult.explore.scaled import scaled
from penult.neighbors.unit import unit_rows
from penult.partition.rows import read_rows, row_length

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records import Features
    from penult.records.neighbors import Metric

__all__ = ["Silhouettes"]

MOST_ROWS = 4_000
"""Rows that are measured: of more, a random sample, always the same."""

_MOST_BYTES = 256 << 20  # of the sample's rows, which may be long
_SEED = 0


class Silhouettes:
    """Measures silhouettes (Rousseeuw, 1987) of any clusters of the same rows, in the full space.

    The silhouette of a row is (b - a) / max(a, b), where a is its mean distance to the others of
    its cluster, and b that to the rows of the next cluster; 0 of a row that is a cluster by itself.
    Distances are those of the metric, measured once, between the sampled rows.

    Parameters
    ----------
    features : Features
    metric : {"cosine", "euclidean"}
        Cosine distance is 1 minus the cosine; of a row of zeros it is 1 to every other.
    """

    def __init__(self, features: Features, metric: Metric) -> None:
        from sklearn.metrics import pairwise_distances

        n = len(features)
        most = min(MOST_ROWS, max(200, _MOST_BYTES // (4 * max(1, row_length(features)))))
        rng = np.random.default_rng(_SEED)
        self._sample = np.arange(n) if n <= most else np.sort(rng.choice(n, most, replace=False))
        rows = read_rows(features, self._sample)
        if metric == "cosine":
            units = unit_rows(rows)
            self._distances = np.clip(1 - units @ units.T, 0, 2)
        else:
            self._distances = pairwise_distances(scaled(rows)[0])
        np.fill_diagonal(self._distances, 0)

    def of(self, assignments: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Measure them for some clusters.

        Parameters
        ----------
        assignments : int64 array, shape (N,)
            -1 for noise, which is not measured.

        Returns
        -------
        places : int64 array, shape (m,)
            The rows that were measured; none if they are of fewer than two clusters, or if each is
            a cluster by itself.
        silhouettes : float64 array, shape (m,)
            In [-1, 1].
        """
        from sklearn.metrics import silhouette_samples

        given = assignments[self._sample]
        inside = np.flatnonzero(given >= 0)
        if not 2 <= len(np.unique(given[inside])) < len(inside):
            return np.empty(0, np.int64), np.empty(0)
        distances = self._distances
        if len(inside) < len(given):
            distances = distances[np.ix_(inside, inside)]
        values = silhouette_samples(distances, given[inside], metric="precomputed")
        return self._sample[inside], np.asarray(values, float)

    def mean(self, assignments: NDArray[np.int64]) -> float | None:
        """Return their mean; None where none can be measured."""
        values = self.of(assignments)[1]
        return float(values.mean()) if len(values) else None

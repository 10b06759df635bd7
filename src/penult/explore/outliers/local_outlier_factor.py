"""The local outlier factor: how much thinner a row's surroundings are than its neighbours'."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.explore.outliers.search import FoundNeighbors

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["local_outlier_factors"]


def local_outlier_factors(found: FoundNeighbors, reference: int) -> NDArray[np.float64]:
    """Compute the local outlier factor (Breunig, Kriegel, Ng and Sander, 2000).

    By scikit-learn's ``LocalOutlierFactor``, which is given the neighbours that were found, so that
    it searches for none. The reachability distance of a row from a neighbour is its distance, or
    the neighbour's distance to its own k-th neighbour where that is larger; the local reachability
    density of a row is 1 over the mean of these; and the factor is the mean density of its
    neighbours over its own. About 1 is usual. Rows that are no part of the reference are compared
    with it (scikit-learn's ``novelty``).

    Parameters
    ----------
    found : FoundNeighbors
        Of the reference's rows, and then of others.
    reference : int
        How many rows the reference has.

    Returns
    -------
    float64 array, shape (m + q,)
        Above 0.
    """
    from sklearn.neighbors import LocalOutlierFactor

    k = found.near.shape[1]
    # scikit-learn adds 1e-10 to each mean distance, so the unit must not matter.
    positive = found.distances[found.distances > 0]
    distances = found.distances / (float(np.median(positive)) if len(positive) else 1.0)
    model = LocalOutlierFactor(n_neighbors=k, metric="precomputed", novelty=True)
    with warnings.catch_warnings():
        # It takes rows that are almost equal for copies; of those, one was left.
        warnings.filterwarnings("ignore", message="Duplicate values are leading to incorrect")
        own = np.arange(reference)[:, None]
        model.fit(
            _graph(
                np.hstack([own, found.near[:reference]]),
                np.hstack([np.zeros((reference, 1)), distances[:reference]]),
                reference,
            )
        )
    factors = np.empty(len(found.near))
    factors[:reference] = -model.negative_outlier_factor_
    if len(factors) > reference:
        others = _graph(found.near[reference:], distances[reference:], reference)
        factors[reference:] = -model.score_samples(others)
    return factors


def _graph(near: NDArray[np.int64], distances: NDArray[np.float64], columns: int) -> Any:
    """A sparse matrix of distances, which keeps those that are 0."""
    from scipy.sparse import csr_matrix

    rows, k = near.shape
    parts = (distances.ravel(), near.ravel(), np.arange(0, rows * k + 1, k))
    return csr_matrix(parts, shape=(rows, columns))

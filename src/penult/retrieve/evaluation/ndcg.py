"""Normalised discounted cumulative gain, of relevance that is yes or no, or by degrees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ndcg_at_k"]


def ndcg_at_k(gain: NDArray[Any], k: int) -> NDArray[np.float64]:
    """Divide the discounted gain of the first k rows by that of the best ranking there could be.

    DCG@k = Σ g_r / log2(r + 1) over the ranks r <= k, and the best ranking has all rows of the
    gallery by descending gain. Järvelin & Kekäläinen, "Cumulated Gain-Based Evaluation of IR
    Techniques", TOIS 2002, in the form that discounts the second rank too, as trec_eval's
    ``ndcg_cut_k`` and scikit-learn's `ndcg_score` do; the gain itself, and not 2^g - 1. With
    relevance that is yes or no the two are the same.

    Parameters
    ----------
    gain : bool or float array, shape (n_queries, n_ranked)
        How relevant the row at each rank is, in [0, 1], nearest first, the query itself left out;
        all rows of the gallery are ranked.
    k : int
        At least 1.

    Returns
    -------
    float64 array, shape (n_queries,)
        In [0, 1]; NaN for a query without a relevant row.
    """
    if not gain.shape[1]:
        return np.full(len(gain), np.nan)
    k = min(k, gain.shape[1])
    discount = 1 / np.log2(np.arange(k) + 2)
    if gain.dtype == bool:
        best: NDArray[Any] = np.arange(k) < gain.sum(axis=1)[:, None]
    else:
        best = -np.sort(-np.partition(gain, -k, axis=1)[:, -k:], axis=1)
    # Summed rank by rank and not as a matrix product, whose bits depend on how many queries there
    # are at a time.
    found, possible = ((one * discount).sum(axis=1) for one in (gain[:, :k], best))
    return np.where(possible > 0, found / np.where(possible > 0, possible, 1), np.nan)

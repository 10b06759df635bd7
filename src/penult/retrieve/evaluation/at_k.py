"""Scores of the first k rows found; the formulas, and where they come from.

Manning, Raghavan & Schütze, *Introduction to Information Retrieval*, 2008, chapter 8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["hit_at_k", "precision_at_k", "recall_at_k"]


def hit_at_k(relevant: NDArray[np.bool_], k: int) -> NDArray[np.float64]:
    """Say whether any of the first k rows is relevant: top-k accuracy.

    Its mean over queries is what papers on product and face search call top-k accuracy, or
    recall@k (Jégou, Douze & Schmid, "Product Quantization for Nearest Neighbor Search", TPAMI
    2011; Musgrave, Belongie & Lim, "A Metric Learning Reality Check", ECCV 2020, whose precision@1
    is ``hit@1``); trec_eval calls it ``success_k``.

    Parameters
    ----------
    relevant : bool array, shape (n_queries, n_ranked)
        Whether the row at each rank is relevant, nearest first, the query itself left out.
    k : int
        At least 1.

    Returns
    -------
    float64 array, shape (n_queries,)
        1 or 0; NaN for a query without a relevant row.
    """
    return _of_scorable(relevant, relevant[:, :k].any(axis=1).astype(np.float64))


def precision_at_k(relevant: NDArray[np.bool_], k: int) -> NDArray[np.float64]:
    """Divide the relevant rows among the first k by k.

    The divisor is k also where fewer rows than k are relevant, or ranked at all, as in trec_eval's
    ``P_k``: of a query with three relevant rows, precision@5 is 0.6 at best.

    Parameters
    ----------
    relevant : bool array, shape (n_queries, n_ranked)
        As for `hit_at_k`.
    k : int
        At least 1.

    Returns
    -------
    float64 array, shape (n_queries,)
        In [0, 1]; NaN for a query without a relevant row.
    """
    return _of_scorable(relevant, relevant[:, :k].sum(axis=1) / k)


def recall_at_k(relevant: NDArray[np.bool_], k: int) -> NDArray[np.float64]:
    """Divide the relevant rows among the first k by all relevant rows of the gallery.

    As trec_eval's ``recall_k``. Of a query with more than k relevant rows it is below 1 at best.

    Parameters
    ----------
    relevant : bool array, shape (n_queries, n_ranked)
        As for `hit_at_k`; all rows of the gallery are ranked.
    k : int
        At least 1.

    Returns
    -------
    float64 array, shape (n_queries,)
        In [0, 1]; NaN for a query without a relevant row.
    """
    total = relevant.sum(axis=1)
    return _of_scorable(relevant, relevant[:, :k].sum(axis=1) / np.maximum(total, 1))


def _of_scorable(relevant: NDArray[np.bool_], values: Any) -> NDArray[np.float64]:
    return np.where(relevant.any(axis=1), values, np.nan)

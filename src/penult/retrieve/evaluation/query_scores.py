"""Every score of every query, by its name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from penult.retrieve.evaluation.at_k import hit_at_k, precision_at_k, recall_at_k
from penult.retrieve.evaluation.ndcg import ndcg_at_k
from penult.retrieve.evaluation.whole_ranking import (
    average_precision,
    map_at_r,
    r_precision,
    reciprocal_rank,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["QueryScores", "score_gains", "score_queries"]

QueryScores = dict[str, "NDArray[np.float64]"]
"""Name of a score to its value for each query, (n_queries,), NaN where there is none."""

_AT_K = {
    "hit": hit_at_k,
    "precision": precision_at_k,
    "recall": recall_at_k,
    "ndcg": ndcg_at_k,
}
_WHOLE = {
    "r_precision": r_precision,
    "average_precision": average_precision,
    "map@r": map_at_r,
    "mrr": reciprocal_rank,
}


def score_queries(relevant: NDArray[np.bool_], k: Sequence[int]) -> QueryScores:
    """Score rankings of rows that are relevant or not.

    Parameters
    ----------
    relevant : bool array, shape (n_queries, n_ranked)
        Whether the row at each rank is relevant, nearest first, the query itself left out.
    k : sequence of int
        Lengths of the lists to score.
    """
    cut = {f"{name}@{n}": formula(relevant, n) for name, formula in _AT_K.items() for n in k}
    return cut | {name: formula(relevant) for name, formula in _WHOLE.items()}


def score_gains(gain: NDArray[np.float64], k: Sequence[int]) -> QueryScores:
    """Score rankings of rows that are relevant by degrees, by Jaccard's index.

    Parameters
    ----------
    gain : float64 array, shape (n_queries, n_ranked)
        In [0, 1], nearest first, the query itself left out.
    k : sequence of int
        Lengths of the lists to score.
    """
    return {f"jaccard_ndcg@{n}": ndcg_at_k(gain, n) for n in k}

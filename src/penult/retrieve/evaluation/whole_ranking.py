"""Scores of a whole ranking; the formulas, and where they come from.

Throughout, R is the number of relevant rows of the gallery, and the i-th of them stands at rank
r_i, counted from 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["average_precision", "map_at_r", "r_precision", "reciprocal_rank"]


def average_precision(relevant: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Average the precision at each rank that holds a relevant row: (1/R) Σ i / r_i.

    The denominator is R, all relevant rows of the gallery, and all of them are ranked. So it is
    trec_eval's ``map`` (Buckley & Voorhees, "Retrieval System Evaluation", in *TREC*, 2005), and
    scikit-learn's `average_precision_score` where no two rows are equally near. Libraries that cut
    the list at k divide by min(R, k), or by the relevant rows found, and give other numbers of the
    same ranking.

    Parameters
    ----------
    relevant : bool array, shape (n_queries, n_ranked)
        Whether the row at each rank is relevant, nearest first, the query itself left out.

    Returns
    -------
    float64 array, shape (n_queries,)
        In [0, 1]; 1 means that all relevant rows came first. NaN for a query without any.
    """
    query, rank, nth = _ranks(relevant)
    return _sums(query, nth / rank, relevant) / _total(relevant)


def r_precision(relevant: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Divide the relevant rows among the first R by R.

    Both the precision and the recall at rank R; trec_eval's ``Rprec``. Manning, Raghavan & Schütze,
    *Introduction to Information Retrieval*, 2008, section 8.4.

    Parameters
    ----------
    relevant : bool array, shape (n_queries, n_ranked)
        As for `average_precision`.

    Returns
    -------
    float64 array, shape (n_queries,)
        In [0, 1]; NaN for a query without a relevant row.
    """
    query, rank, _ = _ranks(relevant)
    total = _total(relevant)
    return _sums(query, (rank <= total[query]).astype(np.float64), relevant) / total


def map_at_r(relevant: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Sum the precision at each of the first R ranks that holds a relevant row, divided by R.

    (1/R) Σ i / r_i over those with r_i <= R. Musgrave, Belongie & Lim, "A Metric Learning Reality
    Check", ECCV 2020, section 3.2: it is 1 only where the first R rows are the relevant ones, and
    what comes later does not count, which `average_precision` gives a part for.

    Parameters
    ----------
    relevant : bool array, shape (n_queries, n_ranked)
        As for `average_precision`.

    Returns
    -------
    float64 array, shape (n_queries,)
        In [0, 1]; NaN for a query without a relevant row.
    """
    query, rank, nth = _ranks(relevant)
    total = _total(relevant)
    return _sums(query, np.where(rank <= total[query], nth / rank, 0.0), relevant) / total


def reciprocal_rank(relevant: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Divide 1 by the rank of the first relevant row: 1 / r_1.

    Its mean over queries is the mean reciprocal rank, MRR (Voorhees, "The TREC-8 Question Answering
    Track Report", 1999); trec_eval's ``recip_rank``. The whole ranking counts, and no rank is too
    late.

    Parameters
    ----------
    relevant : bool array, shape (n_queries, n_ranked)
        As for `average_precision`.

    Returns
    -------
    float64 array, shape (n_queries,)
        In (0, 1]; NaN for a query without a relevant row.
    """
    if not relevant.shape[1]:
        return np.full(len(relevant), np.nan)
    return np.where(relevant.any(axis=1), 1 / (relevant.argmax(axis=1) + 1), np.nan)


def _ranks(
    relevant: NDArray[np.bool_],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Of each relevant row: its query, its rank r_i, and i."""
    query, place = np.nonzero(relevant)
    before = np.cumsum(relevant.sum(axis=1)) - relevant.sum(axis=1)
    return query, place + 1, np.arange(len(query)) - before[query] + 1


def _total(relevant: NDArray[np.bool_]) -> NDArray[np.float64]:
    """R of each query; NaN where it is 0."""
    total = relevant.sum(axis=1).astype(np.float64)
    return np.where(total > 0, total, np.nan)


def _sums(
    query: NDArray[np.int64], values: NDArray[Any], relevant: NDArray[np.bool_]
) -> NDArray[np.float64]:
    summed: NDArray[Any] = np.bincount(query, weights=values, minlength=len(relevant))
    return summed.astype(np.float64, copy=False)

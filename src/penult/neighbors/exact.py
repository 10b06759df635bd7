"""Exact search: each query against all rows, a block of rows at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from penult.neighbors.unit import unit_rows
from penult.records import Neighbors

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records import Rows
    from penult.records.neighbors import Metric

__all__ = ["nearest"]


def nearest(
    rows: Rows,
    queries: NDArray[Any],
    k: int,
    *,
    metric: Metric = "cosine",
    leave_out: NDArray[np.int64] | None = None,
    allowed: NDArray[np.bool_] | None = None,
    rank: NDArray[np.int64] | None = None,
) -> Neighbors:
    """Find the k nearest rows of each query.

    Parameters
    ----------
    rows : float32 or float16 array or h5py dataset, shape (N, D)
        Finite; read a block at a time.
    queries : float array, shape (Q, D)
        Finite; for cosine, none all zeros.
    k : int
        At least 1; it may be more than there are rows.
    metric : {"cosine", "euclidean"}
        Cosine similarity, larger is nearer; or Euclidean distance, smaller is nearer.
    leave_out : int64 array, shape (Q,), optional
        The place of a row that the query may not find, which is itself; -1 for none.
    allowed : bool array, shape (N,), optional
        Which rows may be found at all.
    rank : int64 array, shape (N,), optional
        Of rows that are equally near, those of a smaller rank come first; then those of a smaller
        place.

    Returns
    -------
    Neighbors
        Values are worked out in float64 from the rows' differences, so that those of equal rows are
        1, or 0, exactly.
    """
    every = np.asarray(rows[:], np.float32).reshape(len(rows), -1)
    asked = np.asarray(queries, np.float32).reshape(len(queries), -1)
    if metric == "cosine":
        every, asked = unit_rows(every), unit_rows(asked)
    order = np.arange(len(every)) if rank is None else np.asarray(rank)
    places = np.full((len(asked), k), -1, np.int64)
    values = np.full((len(asked), k), np.nan)
    for i, query in enumerate(asked):
        squares = ((every.astype(np.float64) - query) ** 2).sum(axis=1)
        may = np.ones(len(every), bool) if allowed is None else allowed.copy()
        if leave_out is not None and leave_out[i] >= 0:
            may[leave_out[i]] = False
        found = np.flatnonzero(may)
        found = found[np.lexsort((found, order[found], squares[found]))][:k]
        places[i, : len(found)] = found
        values[i, : len(found)] = (
            1 - squares[found] / 2 if metric == "cosine" else np.sqrt(squares[found])
        )
    return Neighbors(places=places, values=values, metric=metric)

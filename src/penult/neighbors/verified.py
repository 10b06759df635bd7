"""Candidates compared with their queries in float64, the k nearest of them kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from penult.neighbors.best import Best
from penult.neighbors.blocks import as_block, in_memory, row_length
from penult.neighbors.lengths import scale
from penult.records import Neighbors

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records import Rows
    from penult.records.neighbors import Metric

__all__ = ["as_asked", "pair_values", "verified"]

# Numbers of candidates compared at a time, which stay in cache.
_PART = 1 << 16
# Bytes of candidates read from disk at a time.
_READ = 64 << 20
# Rows on disk that are wanted and fewer than this apart are read at once.
_GAP = 4


def as_asked(queries: Any, metric: Metric) -> NDArray[np.float64]:
    """Queries as `pair_values` takes them: of length one for cosine, shape (Q, D)."""
    asked = as_block(queries).astype(np.float64)
    return scale(asked) if metric == "cosine" else asked


def pair_values(
    block: NDArray[Any],
    rows: NDArray[np.int64],
    asked: NDArray[np.float64],
    which: NDArray[np.int64],
    metric: Metric,
) -> NDArray[np.float64]:
    """Compare pairs of a row and a query by the differences of their numbers, in float64.

    |u - v|² is the sum of the squared differences: never its expansion u² - 2 u·v + v², of which
    nothing is left where u and v are nearly equal. A cosine is 1 - |u - v|² / 2 of rows of length
    one, exactly 1 where they are equal. Neither depends on which other pairs are compared.

    Parameters
    ----------
    block : float16 or float32 array, shape (m, D)
        Rows.
    rows : int64 array, shape (P,)
        Which of them.
    asked : float64 array, shape (Q, D)
        Queries, see `as_asked`.
    which : int64 array, shape (P,)
        Which of them.
    metric : {"cosine", "euclidean"}

    Returns
    -------
    float64 array, shape (P,)
        Cosines, NaN with a row of zeros; or distances.
    """
    squares = np.empty(len(rows))
    step = max(1, _PART // max(1, block.shape[1]))
    for start in range(0, len(rows), step):
        part = slice(start, start + step)
        near = block[rows[part]].astype(np.float64)
        if metric == "cosine":
            scale(near)
        near -= asked[which[part]]
        np.square(near, out=near)
        squares[part] = near.sum(axis=1)
    return np.maximum(1 - squares / 2, -1) if metric == "cosine" else np.sqrt(squares)


def verified(
    rows: Rows,
    queries: NDArray[Any],
    candidates: NDArray[np.int64],
    k: int,
    *,
    metric: Metric = "cosine",
    leave_out: NDArray[np.int64] | None = None,
    allowed: NDArray[np.bool_] | None = None,
    rank: NDArray[np.int64] | None = None,
) -> Neighbors:
    """Find the k nearest rows of each query among candidates, as exact search would.

    Parameters
    ----------
    rows : float32 or float16 array or h5py dataset, shape (N, D) or (N, …)
        Finite; only candidates are read.
    queries : float array, shape (Q, D) or (Q, …)
        Finite; for cosine, none all zeros.
    candidates : int64 array, shape (Q, C)
        Places of rows for each query, in any order; -1 where there are fewer.
    k : int
        At least 1; it may be more than there are candidates.
    metric, leave_out, allowed, rank
        As `exact.nearest` has them.

    Returns
    -------
    Neighbors
        Values in float64, the same bits that `exact.nearest` gives for the same rows.
    """
    best = Best(len(queries), k, metric, rank)
    width = row_length(rows)
    most = max(1, _READ // max(1, 4 * width * candidates.shape[1]))
    for start in range(0, len(queries), most):
        part = slice(start, start + most)
        of = candidates[part]
        may = of >= 0
        if leave_out is not None:
            may &= of != leave_out[part, None]
        if allowed is not None:
            may &= allowed[of]
        which, column = np.nonzero(may)
        places = of[which, column]
        if not len(places):
            continue
        if (block := in_memory(rows)) is None:
            wanted, local = np.unique(places, return_inverse=True)
            block = _read(rows, wanted)
        else:
            local = places
        asked = as_asked(queries[part], metric)
        best.add(which + start, places, pair_values(block, local, asked, which, metric))
    return Neighbors(places=best.places, values=best.values, metric=metric)


def _read(rows: Rows, places: NDArray[np.int64]) -> NDArray[Any]:
    """Rows at ascending places, those near each other at once."""
    runs = np.split(places, np.flatnonzero(np.diff(places) >= _GAP) + 1)
    return np.concatenate(
        [as_block(rows[run[0] : run[-1] + 1])[run - run[0]] for run in runs if len(run)]
    )

"""Candidates compared with their queries in float64, the k nearest of them kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from penult.neighbors.best import Best
from penult.neighbors.blocks import as_block, in_memory, row_length
from penult.neighbors.pair_values import as_asked, pair_values
from penult.records import Neighbors

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records import Rows
    from penult.records.neighbors import Metric

__all__ = ["verified"]

# Bytes of candidates read from disk at a time.
_READ = 64 << 20
# Rows on disk that are wanted and fewer than this apart are read at once.
_GAP = 4


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

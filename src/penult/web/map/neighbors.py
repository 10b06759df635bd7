"""The nearest neighbours that a map's page stores: those of the full space."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from penult.neighbors.blocks import blocks, row_length
from penult.neighbors.exact import nearest
from penult.neighbors.lengths import block_lengths
from penult.progress import Tell
from penult.records import Neighbors, Progress

if TYPE_CHECKING:
    from penult.records import Rows

__all__ = ["NEIGHBORS", "map_neighbors"]

NEIGHBORS = 10
"""How many of each row are stored."""

_QUERIES = 4096  # rows that search at a time, between two lines of progress; fewer of long rows
_QUERY_BYTES = 256 << 20


def map_neighbors(rows: Rows, metric: Literal["cosine", "euclidean"], tell: Tell) -> Neighbors:
    """Find the nearest of the other rows for each row, in the full space.

    Parameters
    ----------
    rows : float32 or float16 array, or h5py dataset, shape (N, D) or (N, …)
        Finite. One of zeros has no cosine: it finds none, and is found by none.
    metric : {"cosine", "euclidean"}
        By which rows are near.
    tell : callable
        Called with how many rows have searched.

    Returns
    -------
    Neighbors
        Of N rows, k = 10, or fewer where there are not so many others; place -1 and NaN where there
        is no neighbour.
    """
    total = len(rows)
    k = max(1, min(NEIGHBORS, total - 1))
    lengths = np.concatenate([block_lengths(block) for _, block in blocks(rows)] or [np.empty(0)])
    places = np.full((total, k), -1, np.int64)
    values = np.full((total, k), np.nan)
    asking = np.flatnonzero(lengths > 0) if metric == "cosine" else np.arange(total)
    step = max(1, min(_QUERIES, _QUERY_BYTES // (4 * max(1, row_length(rows)))))
    for start in range(0, len(asking), step):
        some = asking[start : start + step]
        found = nearest(
            rows, np.asarray(rows[some]), k, metric=metric, leave_out=some, lengths=lengths
        )
        places[some], values[some] = found.places, found.values
        done = start + len(some)
        tell(Progress(done, len(asking), 0, stage="nearest neighbours", unit="rows"))
    return Neighbors(places=places, values=values, metric=metric)

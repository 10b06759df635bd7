"""What a database found, ranked by the rows themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from penult.databases.rows import Nearest, StoredRows
from penult.neighbors.exact import nearest
from penult.neighbors.ranks import ranks_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records.neighbors import Metric

__all__ = ["ranked"]


def ranked(
    candidates: StoredRows, query: NDArray[np.float32], k: int, *, metric: Metric
) -> Nearest:
    """Rank candidates of one query exactly, as `penult.neighbors.exact.nearest` does.

    Parameters
    ----------
    candidates : StoredRows
        As many as a lossy index needs to be sure of the k nearest, or more.
    query : float32 array, shape (D,)
        The row to compare them with.
    k : int
        How many to keep.
    metric : {"cosine", "euclidean"}

    Returns
    -------
    Nearest
        Rows that are equally near are ordered as `penult.Index.search` orders them: by the digests
        of their images, then by position.
    """
    if not len(candidates):
        return Nearest(candidates, np.zeros(0))
    order = np.argsort(np.asarray(candidates.positions, np.int64), kind="stable")
    candidates = candidates.take(order)
    found = nearest(
        candidates.rows,
        query[None, :],
        min(k, len(candidates)),
        metric=metric,
        rank=ranks_of(candidates.rows, candidates.content),
    )
    there = found.places[0] >= 0
    return Nearest(candidates.take(found.places[0][there]), found.values[0][there])

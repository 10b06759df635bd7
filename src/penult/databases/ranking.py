"""What a database found, ranked by the rows themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from penult.databases.rows import Nearest, StoredRows
from penult.neighbors.exact import nearest

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
    k : int
    metric : {"cosine", "euclidean"}

    Returns
    -------
    Nearest
        Of rows that are equally near, the one that comes first in the file comes first.
    """
    if not len(candidates):
        return Nearest(candidates, np.zeros(0))
    found = nearest(
        candidates.rows,
        query[None, :],
        min(k, len(candidates)),
        metric=metric,
        rank=np.asarray(candidates.positions, np.int64),
    )
    there = found.places[0] >= 0
    return Nearest(candidates.take(found.places[0][there]), found.values[0][there])

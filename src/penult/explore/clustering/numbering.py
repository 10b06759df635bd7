"""The numbers of clusters: by size, and so the same whatever a method called them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["by_size"]


def by_size(assignments: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number clusters from 0 for the largest; of equal ones, that with the first row first.

    Parameters
    ----------
    assignments : int64 array, shape (N,)
        Any numbers, negative for noise.

    Returns
    -------
    int64 array, shape (N,)
        Each number up to the greatest is there; -1 is noise.
    """
    result = np.full(len(assignments), -1)
    inside = np.flatnonzero(assignments >= 0)
    _, first, numbers, sizes = np.unique(
        assignments[inside], return_index=True, return_inverse=True, return_counts=True
    )
    order = np.lexsort((first, -sizes))
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    result[inside] = rank[numbers]
    return result

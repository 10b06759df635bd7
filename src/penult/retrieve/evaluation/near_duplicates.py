"""Which rows are near-duplicates of each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penult.neighbors.forest import Forest
from penult.neighbors.pairs import near_pairs

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["find_near_duplicates"]


def find_near_duplicates(rows: NDArray[np.float32], cosine: float) -> NDArray[np.int64]:
    """Number the groups of near-duplicates.

    Parameters
    ----------
    rows : float32 array, shape (N, D)
        Finite.
    cosine : float
        In (0, 1]: of two rows with at least that cosine both are in one group, and so is whatever
        a chain of such rows leads to.

    Returns
    -------
    int64 array, shape (N,)
        Each row's group; a row without near-duplicates is one by itself.
    """
    forest = Forest(len(rows))
    for pairs in near_pairs(rows, cosine, every=False):
        forest.add(pairs)
    return forest.groups()

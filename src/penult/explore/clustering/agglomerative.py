"""Agglomerative clustering: a tree of ever larger clusters, cut at some height."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["MergeTree"]


class MergeTree:
    """Which rows merge first, by Ward's criterion: the least growth of the variance within.

    It is built once by scipy, as scikit-learn's `AgglomerativeClustering` does, and gives clusters
    for each k.

    Parameters
    ----------
    rows : float32 array, shape (N, D)
        N² / 2 distances of 8 bytes are held meanwhile.
    """

    def __init__(self, rows: NDArray[np.float32]) -> None:
        from scipy.cluster.hierarchy import linkage

        self._tree = linkage(rows, method="ward")

    def cut(self, k: int) -> NDArray[np.int64]:
        """Cut it into k clusters.

        Parameters
        ----------
        k : int
            At most N.

        Returns
        -------
        int64 array, shape (N,)
        """
        import numpy as np

        n = len(self._tree) + 1
        # The first N - k merges, each of which makes the cluster of number N + its place.
        parent = np.arange(n + n - k)
        for place, (one, other) in enumerate(self._tree[: n - k, :2].astype(int)):
            parent[[one, other]] = n + place
        for place in range(len(parent) - 1, -1, -1):
            parent[place] = parent[parent[place]]  # a parent's number is higher
        return np.unique(parent[:n], return_inverse=True)[1].astype(np.int64)

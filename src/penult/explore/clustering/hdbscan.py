"""HDBSCAN: clusters where rows are dense, and noise where they are not."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["MIN_CLUSTER_SIZE", "hdbscan"]

MIN_CLUSTER_SIZE = 5
"""Rows of the smallest cluster, by default, as in scikit-learn."""


def hdbscan(rows: NDArray[np.float32], *, min_cluster_size: int) -> NDArray[np.int64]:
    """Cluster rows by density (Campello, Moulavi and Sander, 2013).

    Parameters
    ----------
    rows : float32 array, shape (N, D)
    min_cluster_size : int
        From 2 to N; also how many rows, itself among them, tell how dense it is around one.

    Returns
    -------
    int64 array, shape (N,)
        -1 where a row is noise.
    """
    import numpy as np
    from sklearn.cluster import HDBSCAN

    found = HDBSCAN(min_cluster_size=min_cluster_size, copy=True).fit_predict(rows)
    return np.asarray(found, np.int64)

"""k-means: clusters of rows that are nearest to the same mean."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["kmeans"]

LARGE = 20_000
"""Rows from which means are moved by a few thousand rows at a time (Sculley, 2010)."""

_BATCH = 4096
_STARTS, _STARTS_LARGE = 10, 3  # times it begins anew; the best counts


def kmeans(rows: NDArray[np.float32], k: int, *, seed: int) -> NDArray[np.int64]:
    """Cluster rows around k means, from the best of several beginnings by k-means++.

    Parameters
    ----------
    rows : float32 array, shape (N, D)
    k : int
        At most N.
    seed : int
        Of the beginnings.

    Returns
    -------
    int64 array, shape (N,)
        Of fewer clusters where fewer rows differ.
    """
    import numpy as np
    from sklearn.cluster import KMeans, MiniBatchKMeans
    from sklearn.exceptions import ConvergenceWarning

    if len(rows) < LARGE:
        method = KMeans(k, n_init=_STARTS, random_state=seed)
    else:
        method = MiniBatchKMeans(k, batch_size=_BATCH, n_init=_STARTS_LARGE, random_state=seed)
    with warnings.catch_warnings():
        # That fewer rows differ is said of the clusters found, in words.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return np.asarray(method.fit_predict(rows), np.int64)

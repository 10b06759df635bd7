"""The rows with the largest products with queries, by faiss, which copies no rows."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.extras import is_installed
from penult.locks import ForkSafeLock
from penult.neighbors.candidates.faiss_half import largest_half_products

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MOST", "is_of_use", "largest_products"]

MOST = 99
"""How many rows a query: for more, faiss keeps what it finds in another way, at half the speed."""

# Below how many multiplications its import, or its threads, take longer than they save: of float32
# rows with many queries, and of float16 rows.
_LEAST_SINGLE, _LEAST_HALF = 1 << 33, 1 << 27
# Fewer float32 queries than these NumPy multiplies as fast, and one faster; more float16 queries
# it is better to make the rows float32 for, once.
_QUERIES_SINGLE, _QUERIES_HALF = 32, 4

# Rows that faiss multiplies at a time. Its threads wait for each other after every such block, each
# for a slice of time where other programs want the cores too; with its own 1,024 rows, two
# busy cores are then three times as slow.
_ROWS = 1 << 14
_lock = ForkSafeLock()  # held while faiss has that number


def is_of_use(rows: NDArray[Any], queries: int, k: int) -> bool:
    """Whether faiss is installed, and faster than NumPy for k of these rows a query."""
    if rows.dtype == np.float16:
        fit, least = queries <= _QUERIES_HALF, _LEAST_HALF
    else:
        fit, least = queries >= _QUERIES_SINGLE, _LEAST_SINGLE
    return fit and k <= MOST and rows.size * queries >= least and is_installed("faiss")


def largest_products(
    rows: NDArray[Any], queries: NDArray[np.float32], k: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Find the rows whose float32 products with each query are largest.

    Parameters
    ----------
    rows : float32 or float16 array, shape (N, D)
        Contiguous.
    queries : float32 array, shape (Q, D)
        Contiguous.
    k : int
        At most `MOST`, and N.

    Returns
    -------
    products : float32 array, shape (Q, k)
        Of float16 rows, each converted to float32 first. No row that is not among them has a
        larger product than the smallest.
    places : int64 array, shape (Q, k)
        Of the rows.
    """
    if rows.dtype == np.float16:
        pairs = [largest_half_products(rows, query, k) for query in queries]
        products, places = (np.stack(column) for column in zip(*pairs, strict=True))
        return products, places

    import faiss

    with _lock:
        usual = faiss.cvar.distance_compute_blas_database_bs
        faiss.cvar.distance_compute_blas_database_bs = _ROWS
        try:
            found: tuple[NDArray[np.float32], NDArray[np.int64]] = faiss.knn(
                queries, rows, k, faiss.METRIC_INNER_PRODUCT
            )
        finally:
            faiss.cvar.distance_compute_blas_database_bs = usual
    return found


def _after_fork() -> None:
    # The threads that OpenMP began are missing in the child, which would wait for them for ever.
    if (faiss := sys.modules.get("faiss")) is not None:
        faiss.omp_set_num_threads(1)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)

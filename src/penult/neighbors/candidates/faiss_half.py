"""The float16 rows with the largest products with a query, by faiss, which copies no rows."""

from __future__ import annotations

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from penult.machine import cores

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["largest_half_products"]

# By length of rows: those that no thread uses just now. Python cannot free them, so they are kept.
_scanners: defaultdict[int, list[tuple[Any, Any]]] = defaultdict(list)


def largest_half_products(
    rows: NDArray[np.float16], query: NDArray[np.float32], k: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Find the rows whose products with a query are largest.

    The rows lie in memory as faiss's scalar quantizer would have them: its code of a number is that
    in half precision. Its threads are Python's, which a forked child can begin anew, as it cannot
    those of OpenMP.

    Parameters
    ----------
    rows : float16 array, shape (N, D)
        Contiguous.
    query : float32 array, shape (D,)
        Contiguous.
    k : int
        At most N.

    Returns
    -------
    products : float32 array, shape (k,)
        Descending; each of the rows is converted to float32 first.
    places : int64 array, shape (k,)
        Of the rows.
    """
    size = -(-len(rows) // cores())
    starts = range(0, len(rows), size)
    with ThreadPoolExecutor(len(starts), "scan") as threads:
        parts = list(threads.map(lambda start: _scan(rows[start : start + size], query, k), starts))
    products = np.concatenate([found for found, _ in parts])
    places = np.concatenate(
        [places + start for (_, places), start in zip(parts, starts, strict=True)]
    )
    best = np.argsort(-products, kind="stable")[:k]
    return products[best], places[best]


def _scan(
    rows: NDArray[np.float16], query: NDArray[np.float32], k: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    import faiss

    width = rows.shape[1]
    try:
        quantizer, scanner = _scanners[width].pop()
    except IndexError:
        quantizer = cast(Any, faiss.ScalarQuantizer(width, faiss.ScalarQuantizer.QT_fp16))
        scanner = quantizer.select_InvertedListScanner(
            faiss.METRIC_INNER_PRODUCT, None, True, None, False
        )
    k = min(k, len(rows))
    products, places = np.full(k, -np.inf, np.float32), np.zeros(k, np.int64)
    scanner.set_query(faiss.swig_ptr(query))
    scanner.set_list(0, 0.0)
    scanner.scan_codes(
        len(rows),
        faiss.swig_ptr(rows.reshape(-1).view(np.uint8)),
        None,
        faiss.swig_ptr(products),
        faiss.swig_ptr(places),
        k,
    )
    _scanners[width].append((quantizer, scanner))
    return products, places

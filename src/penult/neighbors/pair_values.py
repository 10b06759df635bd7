"""How near two rows are, worked out in float64 from their differences: what search says of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.neighbors.blocks import as_block
from penult.neighbors.lengths import scale

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records.neighbors import Metric

__all__ = ["as_asked", "pair_cosines", "pair_values"]

# Numbers of rows compared at a time, which stay in cache.
_PART = 1 << 15


def as_asked(queries: Any, metric: Metric) -> NDArray[np.float64]:
    """Queries as `pair_values` takes them: of length one for cosine, shape (Q, D)."""
    asked = as_block(queries).astype(np.float64)
    return scale(asked) if metric == "cosine" else asked


def pair_values(
    block: NDArray[Any],
    rows: NDArray[np.int64],
    asked: NDArray[np.float64],
    which: NDArray[np.int64],
    metric: Metric,
) -> NDArray[np.float64]:
    """Compare pairs of a row and a query by the differences of their numbers, in float64.

    |u - v|² is the sum of the squared differences: never its expansion u² - 2 u·v + v², of which
    nothing is left where u and v are nearly equal. A cosine is 1 - |u - v|² / 2 of rows of length
    one, exactly 1 where they are equal. Neither depends on which other pairs are compared.

    Parameters
    ----------
    block : float16 or float32 array, shape (m, D)
        Rows.
    rows : int64 array, shape (P,)
        Which of them.
    asked : float64 array, shape (Q, D)
        Queries, see `as_asked`.
    which : int64 array, shape (P,)
        Which of them.
    metric : {"cosine", "euclidean"}

    Returns
    -------
    float64 array, shape (P,)
        Cosines, in [-1, 1], NaN with a row of zeros; or distances.
    """
    squares = np.empty(len(rows))
    for part in _parts(len(rows), block.shape[1]):
        near = block[rows[part]].astype(np.float64)
        if metric == "cosine":
            scale(near)
        _square_distances(near, asked[which[part]], squares[part])
    return _cosines(squares) if metric == "cosine" else np.sqrt(squares)


def pair_cosines(
    rows: tuple[NDArray[Any], NDArray[np.float64]],
    others: tuple[NDArray[Any], NDArray[np.float64]],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Compare pairs of two rows whose lengths are known; to the bit as `pair_values` does.

    Parameters
    ----------
    rows : float16 or float32 array, shape (n, D), and float64 array, shape (n,)
        Rows, and their lengths in float64, all above 0.
    others : float16 or float32 array, shape (m, D), and float64 array, shape (m,)
        Likewise.
    first, second : int64 arrays, shape (P,)
        Places among the rows, and among the others.

    Returns
    -------
    float64 array, shape (P,)
        In [-1, 1].
    """
    squares = np.empty(len(first))
    for part in _parts(len(first), rows[0].shape[1]):
        one, other = _at_length_one(*rows, first[part]), _at_length_one(*others, second[part])
        _square_distances(one, other, squares[part])
    return _cosines(squares)


def _parts(pairs: int, width: int) -> Iterator[slice]:
    step = max(1, _PART // max(1, width))
    return (slice(start, start + step) for start in range(0, pairs, step))


def _at_length_one(
    rows: NDArray[Any], lengths: NDArray[np.float64], places: NDArray[np.int64]
) -> NDArray[np.float64]:
    found: NDArray[np.float64] = rows[places].astype(np.float64)
    found /= lengths[places, None]
    return found


def _square_distances(
    one: NDArray[np.float64], other: NDArray[np.float64], out: NDArray[np.float64]
) -> None:
    """Write |u - v|² of pairs of rows, each shape (m, D); the first are overwritten."""
    one -= other
    np.square(one, out=one)
    one.sum(axis=1, out=out)


def _cosines(squares: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.maximum(1 - squares / 2, -1)

"""The cosine of pairs of rows, worked out in float64 from their differences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["pair_cosines"]

_CHUNK_BYTES = 1 << 18
"""Bytes of rows that are taken at a time: they stay in a core's cache."""


def pair_cosines(
    rows: tuple[NDArray[Any], NDArray[np.float64]],
    others: tuple[NDArray[Any], NDArray[np.float64]],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Work out 1 - |u - v|^2 / 2 of pairs of rows, where u and v are the rows at length one.

    Of equal rows it is exactly 1, as it is of rows that are a power of two times each other. By the
    product of u and v it might be less, and rows could not be told from their neighbours: near 1 a
    cosine has no digits for a small angle, and the differences have all of them.

    Parameters
    ----------
    rows : array, shape (n, D), and float64 array, shape (n,)
        Rows, and their lengths, all above 0.
    others : array, shape (m, D), and float64 array, shape (m,)
        Likewise.
    first, second : int64 arrays, shape (P,)
        Places among the rows, and among the others.

    Returns
    -------
    float64 array, shape (P,)
        In [-1, 1].
    """
    result = np.empty(len(first))
    width = rows[0].shape[1]
    step = max(1, _CHUNK_BYTES // max(1, 8 * width))
    buffers = np.empty((2, min(step, len(first)), width))
    for start in range(0, len(first), step):
        part = slice(start, min(start + step, len(first)))
        one, other = buffers[:, : part.stop - start]
        _at_length_one(*rows, first[part], one)
        _at_length_one(*others, second[part], other)
        one -= other
        np.square(one, out=one)
        one.sum(axis=1, out=result[part])
    result *= -0.5
    result += 1
    return np.maximum(result, -1, out=result)


def _at_length_one(
    rows: NDArray[Any],
    lengths: NDArray[np.float64],
    places: NDArray[np.int64],
    out: NDArray[np.float64],
) -> None:
    out[:] = rows[places]
    out /= lengths[places, None]

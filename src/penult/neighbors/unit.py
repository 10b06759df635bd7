"""How near rows come to other rows, by cosine, a block at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["kth_cosine", "unit_rows"]

# Rows compared with all others at a time.
_BLOCK = 1024
# So few rows are compared with all others in one thread,
_FEW = 32
# by products of so many multiplications, which OpenBLAS does not divide.
_ONE_THREAD = 1 << 18


def unit_rows(rows: NDArray[Any]) -> NDArray[np.float32]:
    """Scale rows to length one; rows of zeros stay so, and are near to nothing.

    Parameters
    ----------
    rows : array, shape (n, D)
        Finite.

    Returns
    -------
    float32 array, shape (n, D)
        A copy.
    """
    rows = np.array(rows, np.float32)
    # By their largest number first: squares of others overflow, or vanish.
    for measure in (np.abs(rows).max(axis=1, initial=0), None):
        lengths = np.linalg.norm(rows, axis=1) if measure is None else measure
        rows /= np.where(lengths > 0, lengths, 1)[:, None]
    return rows


def kth_cosine(
    rows: NDArray[np.float32],
    others: NDArray[np.float32],
    k: int,
    *,
    units: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None,
) -> NDArray[np.float32]:
    """Measure the cosine of each row to its k-th nearest among others.

    Parameters
    ----------
    rows : float32 array, shape (n, D)
        Of length one, see `unit_rows`.
    others : float32 array, shape (m, D)
        Of length one too.
    k : int
        1 for the nearest; at most m.
    units : pair of int64 arrays, shapes (n,) and (m,), optional
        What each row, and each of the others, belongs to: a row does not find those of its own.

    Returns
    -------
    float32 array, shape (n,)
        Minus infinity where a row finds fewer than k.
    """
    result = np.empty(len(rows), np.float32)
    for start in range(0, len(rows), _BLOCK):
        part = slice(start, start + _BLOCK)
        cosines = _products(rows[part], others)
        if units is not None:
            cosines[units[0][part, None] == units[1]] = -np.inf
        result[part] = np.partition(cosines, -k, axis=1)[:, -k]
    return result


def _products(rows: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    """``rows @ others.T``, of few rows without the threads of BLAS.

    Those save a fraction of a millisecond here, and then spin for tens of them on the cores that
    decode the next photos.
    """
    if len(rows) > _FEW:
        return rows @ others.T
    step = min(max(1, _ONE_THREAD // max(1, rows.size)), max(1, len(others)))
    whole = len(others) - len(others) % step
    # One call, since each asks for the interpreter's lock afterwards, and waits for it where other
    # threads run.
    pieces = others[:whole].reshape(-1, step, others.shape[1])
    each: NDArray[np.float32] = np.matmul(rows, pieces.transpose(0, 2, 1))
    products = each.transpose(1, 0, 2).reshape(len(rows), whole)
    if whole == len(others):
        return products
    return np.concatenate([products, rows @ others[whole:].T], axis=1)

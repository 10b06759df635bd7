"""Second moments of rows, centred and in float64: among their numbers, and among the rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["NOTHING", "column_parts", "covariance", "inner_products"]

# Of the mean square of rows: float32, and sums in float64, leave no more in a direction in which
# rows do not vary at all.
NOTHING = 1e-13

_COLUMNS = 1 << 20  # numbers of float64 converted at a time


def covariance(
    blocks: Iterable[NDArray[np.float32]], width: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Compute the mean and the covariance of rows in one pass.

    Parameters
    ----------
    blocks : iterable of float32 arrays, shape (m, D)
    width : int
        D.

    Returns
    -------
    mean : float64 array, shape (D,)
    covariance : float64 array, shape (D, D)
        Divided by the number of rows less one; its upper half alone is filled.
    """
    from scipy.linalg.blas import dsyrk

    products = np.zeros((width, width), order="F")
    shift, total, count = np.zeros(width), np.zeros(width), 0
    for block in blocks:
        # Numbers far from zero would lose their variance in the digits of their squares.
        if not count:
            shift = block.mean(axis=0, dtype=np.float64)
        shifted = block - shift
        total += shifted.sum(axis=0)
        count += len(block)
        products = dsyrk(1.0, shifted.T, beta=1.0, c=products, overwrite_c=1)
    rest = (total / np.sqrt(count))[:, None]
    products = dsyrk(-1.0, rest, beta=1.0, c=products, overwrite_c=1)
    products /= count - 1
    return shift + total / count, products


def inner_products(rows: NDArray[np.float32], mean: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute the inner products of centred rows, some columns at a time.

    Parameters
    ----------
    rows : float32 array, shape (n, D)
    mean : float64 array, shape (D,)

    Returns
    -------
    float64 array, shape (n, n)
        Its upper half alone is filled.
    """
    from scipy.linalg.blas import dsyrk

    products = np.zeros((len(rows), len(rows)), order="F")
    for part in column_parts(rows):
        centred = rows[:, part] - mean[part]
        products = dsyrk(1.0, centred.T, beta=1.0, c=products, trans=1, overwrite_c=1)
    return products


def column_parts(rows: NDArray[np.float32]) -> list[slice]:
    """Divide the columns of rows so that few numbers are made float64 at a time."""
    step = max(1, _COLUMNS // len(rows))
    return [slice(at, at + step) for at in range(0, rows.shape[1], step)]

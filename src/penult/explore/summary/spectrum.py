"""The variances of rows along all their principal components."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from penult.records import Spectrum
from penult.reduction.moments import NOTHING, covariance, inner_products

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["by_rows", "of_covariance", "of_rows"]

_SIDE = 4096  # of a matrix whose eigenvalues take seconds
_BYTES = 256 << 20  # of rows in memory


def by_rows(rows: int, width: int) -> int | None:
    """Choose how: by the inner products of so many rows, or by the covariance of all (None).

    Parameters
    ----------
    rows : int
        How many there are.
    width : int
        Numbers of a row.
    """
    fit = min(_SIDE, _BYTES // max(1, 4 * width))
    if rows <= min(fit, width - 1) or width > _SIDE:
        return min(rows, max(2, fit))
    return None


def of_covariance(blocks: Iterable[NDArray[np.float32]], rows: int, width: int) -> Spectrum:
    """Find them by the (D, D) covariance, in one pass.

    Parameters
    ----------
    blocks : iterable of float32 arrays, shape (m, D)
        All rows; each block is read once.
    rows : int
    width : int
        D.
    """
    mean, products = covariance(blocks, width)
    return _spectrum(products, mean, rows, width)


def of_rows(rows: NDArray[np.float32]) -> Spectrum:
    """Find them by the (n, n) inner products of rows in memory.

    Parameters
    ----------
    rows : float32 array, shape (n, D)
    """
    mean = rows.mean(axis=0, dtype=np.float64)
    products = inner_products(rows, mean)
    products /= len(rows) - 1
    return _spectrum(products, mean, len(rows), rows.shape[1])


def _spectrum(
    products: NDArray[np.float64], mean: NDArray[np.float64], rows: int, width: int
) -> Spectrum:
    from scipy.linalg import eigvalsh

    scale = float(np.trace(products) + mean @ mean)
    most = min(width, rows - 1)
    variance = eigvalsh(products, lower=False, overwrite_a=True)[::-1][:most]
    variance = variance[variance > NOTHING * scale]
    return Spectrum(
        variance=variance,
        effective_rank=_effective_rank(np.sqrt(variance)),
        participation_ratio=_participation_ratio(variance),
        rows=rows,
        most=most,
    )


def _effective_rank(values: NDArray[np.float64]) -> float:
    """That of Roy and Vetterli (2007): exp(-Σ p ln p) of singular values divided by their sum."""
    if not len(values):
        return 0.0
    shares = values / values.sum()
    return float(np.exp(-(shares * np.log(shares)).sum()))


def _participation_ratio(variance: NDArray[np.float64]) -> float:
    """(Σ λ)² / Σ λ²."""
    return float(variance.sum() ** 2 / (variance**2).sum()) if len(variance) else 0.0

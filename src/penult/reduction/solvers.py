"""Three ways to the principal components of rows, by what fits into memory.

Each reads blocks of rows as often as it needs, computes in float64, and gives the mean, the
variance along each component (descending), the components, and the variance in all directions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from penult.progress import announce
from penult.reduction.moments import column_parts, covariance, inner_products

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Blocks", "Components", "by_covariance", "by_products", "by_sketch", "sketch_width"]

Blocks = Callable[[], Iterable["NDArray[np.float32]"]]
"""Reads rows from the first to the last, each call anew: float32 arrays of shape (m, D)."""

PASSES = 8
"""Times that `by_sketch` reads all rows to sharpen the directions: seven, and the last to weigh."""

_MORE = 20  # directions besides those wanted, so that these come out sharp


class Components(NamedTuple):
    """What a solver found.

    Attributes
    ----------
    mean : float64 array, shape (D,)
    variance : float64 array, shape (k,)
        Descending.
    directions : float64 array, shape (k, D)
        Rows of length one, their signs as they came.
    total_variance : float
    """

    mean: NDArray[np.float64]
    variance: NDArray[np.float64]
    directions: NDArray[np.float64]
    total_variance: float


def by_covariance(blocks: Blocks, width: int, components: int) -> Components:
    """Find them from the (D, D) covariance, in one pass; exact."""
    from scipy.linalg import eigh

    mean, products = covariance(blocks(), width)
    total_variance = float(np.trace(products))
    announce("eigenvectors", brief=True)
    ends = [width - components, width - 1]
    variance, directions = eigh(products, lower=False, subset_by_index=ends, overwrite_a=True)
    return Components(mean, variance[::-1], directions.T[::-1], total_variance)


def by_products(blocks: Blocks, count: int, width: int, components: int) -> Components:
    """Find them from the (N, N) inner products of rows that are all in memory; exact."""
    from scipy.linalg import eigh

    rows, start = np.empty((count, width), np.float32), 0
    for block in blocks():
        rows[start : start + len(block)] = block
        start += len(block)
    mean = rows.mean(axis=0, dtype=np.float64)
    products = inner_products(rows, mean)
    total = float(np.trace(products))
    announce("eigenvectors", brief=True)
    ends = [count - components, count - 1]
    squares, places = eigh(products, lower=False, subset_by_index=ends, overwrite_a=True)
    squares, places = squares[::-1].clip(min=0), places.T[::-1]
    lengths = np.sqrt(np.where(squares > 0, squares, 1))[:, None]
    directions = np.empty((components, width))
    for part in column_parts(rows):
        directions[:, part] = places @ (rows[:, part] - mean[part]) / lengths
    return Components(mean, squares / (count - 1), directions, total / (count - 1))


def by_sketch(blocks: Blocks, count: int, width: int, components: int) -> Components:
    """Find them by subspace iteration from random directions, in `PASSES` and one; approximate.

    How near they are depends on how the variances fall off behind the last component: where the
    next is half of it, its error is of the order of 1e-5.
    """
    shift, total, squares, seen = np.zeros(width), np.zeros(width), 0.0, 0
    for block in blocks():
        if not seen:
            shift = block.mean(axis=0, dtype=np.float64)
        shifted = block - shift
        total += shifted.sum(axis=0)
        squares += float(np.vdot(shifted, shifted))
        seen += len(block)
    mean = shift + total / seen
    total_variance = (squares - float(total @ total) / seen) / (seen - 1)
    k = sketch_width(components, count, width)
    basis = np.random.default_rng(0).normal(size=(width, k))
    for _ in range(PASSES - 1):
        basis, _ = np.linalg.qr(basis)
        image = np.zeros_like(basis)
        for block in blocks():
            centred = block - mean
            image += centred.T @ (centred @ basis)
        basis = image
    basis, _ = np.linalg.qr(basis)
    inside = np.zeros((k, k))
    for block in blocks():
        seen_from = (block - mean) @ basis
        inside += seen_from.T @ seen_from
    variance, turn = np.linalg.eigh(inside / (seen - 1))
    best = np.argsort(variance)[::-1][:components]
    return Components(mean, variance[best], (basis @ turn[:, best]).T, total_variance)


def sketch_width(components: int, count: int, width: int) -> int:
    """How many directions `by_sketch` follows."""
    return min(components + max(_MORE, components // 4), count, width)

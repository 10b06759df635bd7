"""Rows in the basis of their principal axes, where linear classifiers are solved the fastest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Basis", "LinearWeights", "principal_basis", "row_blocks"]

BLOCK_BYTES = 2 << 20
# Axes whose variance is below this part of the largest are rounding errors, not data.
NEGLIGIBLE = 1e-12


@dataclass(frozen=True)
class LinearWeights:
    """What makes logits of rows: ``rows @ coefficients + intercept``.

    Attributes
    ----------
    coefficients : (D, K) float64
        K is 1 for two classes.
    intercept : (K,) float64
    converged : bool
        Whether the solver that found them reached its tolerance.
    """

    coefficients: NDArray[np.float64]
    intercept: NDArray[np.float64]
    converged: bool = True


@dataclass(frozen=True)
class Basis:
    """Rows in the basis of their principal axes.

    Attributes
    ----------
    rows : (N, r) float32
        The centred rows' coordinates, r <= min(N, D).
    center : (D,) float64
        What was subtracted.
    axes : (D, r) float64
        Orthonormal; empty where they are ``centred.T @ mixture``.
    mixture : (N, r) float64 or None
        None where `axes` are there.
    """

    rows: NDArray[np.float32]
    center: NDArray[np.float64]
    axes: NDArray[np.float64]
    mixture: NDArray[np.float64] | None

    def to_rows(self, weights: LinearWeights, rows: NDArray[np.float32] | None) -> LinearWeights:
        """Turn a solution in this basis into one for the rows it was made from, (N, D).

        The rows are needed only where there is a `mixture`.
        """
        if self.mixture is None:
            coefficients = self.axes @ weights.coefficients
        else:
            assert rows is not None
            mixed = self.mixture @ weights.coefficients
            coefficients = np.zeros((rows.shape[1], mixed.shape[1]))
            for part in row_blocks(rows):
                coefficients += rows[part].T.astype(np.float64) @ mixed[part]
            coefficients -= np.outer(self.center, mixed.sum(axis=0))
        intercept = weights.intercept - self.center @ coefficients
        return LinearWeights(coefficients, intercept, weights.converged)


def principal_basis(rows: NDArray[np.float32]) -> Basis:
    """Express rows in the basis of their principal axes.

    Parameters
    ----------
    rows : (N, D) float32
        Rows as they are.

    Returns
    -------
    Basis
        Inner products of its rows are those of the centred rows.
    """
    n, width = rows.shape
    center = rows.mean(axis=0, dtype=np.float64)
    if n <= width:
        # Eigenvectors of the (N, N) inner products. In float64: their rounding is the data's.
        gram = np.zeros((n, n))
        step = max(1, BLOCK_BYTES // n)
        for start in range(0, width, step):
            part = rows[:, start : start + step] - center[start : start + step]
            gram += part @ part.T
        variance, vectors = _eigen(gram)
        length = np.sqrt(variance)
        return Basis(
            (vectors * length).astype(np.float32), center, np.empty((0, 0)), vectors / length
        )
    # Eigenvectors of the (D, D) scatter. Any orthonormal axes give the same optimum, the principal
    # ones only sooner, so float32 is enough for it.
    scatter = np.zeros((width, width))
    for part in row_blocks(rows):
        centred = rows[part] - center.astype(np.float32)
        scatter += centred.T @ centred
    _, axes = np.linalg.eigh(scatter)
    turned = np.empty((n, width), np.float32)
    for part in row_blocks(rows):
        turned[part] = (rows[part] - center.astype(np.float32)) @ axes.astype(np.float32)
    return Basis(turned, center, axes, None)


def _eigen(gram: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    variance, vectors = np.linalg.eigh(gram)
    kept = variance > NEGLIGIBLE * max(variance[-1], np.finfo(float).tiny)
    return variance[kept], vectors[:, kept]


def row_blocks(rows: NDArray[Any], columns: int = 0) -> Iterator[slice]:
    """Slices of rows small enough to stay in the cache, as does what is made of them.

    Parameters
    ----------
    rows : array, shape (n, D)
    columns : int
        How many numbers are made of a row, if more than it has itself.
    """
    step = max(1, BLOCK_BYTES // max(1, 4 * max(rows.shape[1], columns)))
    for start in range(0, len(rows), step):
        yield slice(start, start + step)

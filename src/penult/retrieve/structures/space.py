"""Short rows, by which a structure finds its way: near where the rows themselves are near."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.errors import TrainingError
from penult.neighbors.blocks import row_length
from penult.neighbors.unit import unit_rows
from penult.reduction import fit_projection

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records.neighbors import Metric

__all__ = ["SAMPLE", "Space", "fit_space"]

SAMPLE = 8_192
"""Rows on which principal components are fitted."""

_MOST, _LEAST, _STEP = 256, 64, 32  # numbers of a short row
_WANTED, _NEEDED = 0.95, 0.75  # shares of the variance that are left
_LARGEST = 1e15  # squares and sums of larger numbers overflow in float32


@dataclass(frozen=True, eq=False, repr=False)
class Space:
    """How rows become the short rows that a structure holds.

    Rows are scaled to length one for the cosine, or else all alike, so that one metric, Euclidean,
    serves both. Long ones are turned onto their principal components, which is what most of the
    time of building and searching goes by; what is found so is verified on the rows themselves.

    Attributes
    ----------
    metric : {"cosine", "euclidean"}
    scale : float
        What Euclidean rows are divided by.
    mean : float32 array, shape (D,)
        What is subtracted; zeros where rows are not turned.
    directions : float32 array, shape (d, D), or None
        What they are turned onto.
    """

    metric: Metric
    scale: float
    mean: NDArray[np.float32]
    directions: NDArray[np.float32] | None = None

    @property
    def width(self) -> int:
        """Numbers of a short row, a multiple of 4."""
        if self.directions is not None:
            return len(self.directions)
        return -(-len(self.mean) // 4) * 4

    def __call__(self, rows: NDArray[Any]) -> NDArray[np.float32]:
        """Shorten rows.

        Parameters
        ----------
        rows : float array, shape (n, D) or (n, …)

        Returns
        -------
        float32 array, shape (n, d)
            Finite where the rows are; numbers beyond all bounds are cut to what does not overflow.
        """
        flat = np.asarray(rows).reshape(len(rows), row_length(rows))
        if self.metric == "cosine":
            scaled = unit_rows(flat)
        else:
            with np.errstate(over="ignore"):
                scaled = np.asarray(flat, np.float32) / np.float32(self.scale)
            scaled = np.clip(scaled, -_LARGEST, _LARGEST)
        if self.directions is not None:
            return np.asarray((scaled - self.mean) @ self.directions.T, np.float32)
        short = np.zeros((len(scaled), self.width), np.float32)
        short[:, : scaled.shape[1]] = scaled
        return short

    def turned(self) -> Space:
        """Spread the variance evenly over the directions, by a random rotation."""
        if self.directions is None:
            return self
        square = np.random.default_rng(0).standard_normal((self.width, self.width))
        rotation = np.linalg.qr(square)[0].astype(np.float32)
        return replace(self, directions=rotation @ self.directions)


def fit_space(sample: NDArray[Any], metric: Metric) -> Space:
    """Choose how rows are shortened.

    They are turned onto as many principal components as leave 95% of the variance, 256 at most;
    where those leave less than three quarters, rows are as long as they were.

    Parameters
    ----------
    sample : float array, shape (n, D)
        Some of the rows.
    """
    flat = np.asarray(sample, np.float32)
    mean = np.zeros(flat.shape[1], np.float32)
    scale = 1.0 if metric == "cosine" else float(np.abs(flat).max(initial=0)) or 1.0
    plain = Space(metric, scale, mean)
    if flat.shape[1] <= _MOST or len(flat) <= 2 * _MOST:
        return plain
    scaled = unit_rows(flat) if metric == "cosine" else flat / np.float32(scale)
    try:
        fitted = fit_projection(lambda: [scaled], len(scaled), scaled.shape[1], _MOST)
    except TrainingError:  # they vary in fewer directions, or nothing fits into the memory
        return plain
    left = np.cumsum(fitted.explained_variance, dtype=np.float64) / fitted.total_variance
    if left[-1] < _NEEDED:
        return plain
    enough = int(np.searchsorted(left, _WANTED)) + 1
    width = min(_MOST, max(_LEAST, -(-enough // _STEP) * _STEP))
    return Space(metric, scale, fitted.mean, fitted.components[:width])

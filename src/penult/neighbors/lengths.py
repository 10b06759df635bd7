"""How long rows are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from penult.neighbors.blocks import Widener, row_length
from penult.neighbors.half import is_finite
from penult.neighbors.rounding import LARGEST, SMALLEST

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["block_lengths", "lengths_of", "part_lengths", "scale"]

# Rows at a time: in cache, where they were made float32.
_PART = 1024


def part_lengths(part: NDArray[np.float32]) -> NDArray[np.float64]:
    """Measure rows, within `rounding.length_error`.

    Parameters
    ----------
    part : float32 array, shape (m, D)

    Returns
    -------
    float64 array, shape (m,)
        0 where all is zero, and not finite where a row is not.
    """
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        squares: NDArray[np.float32] = np.einsum("ij,ij->i", part, part)
        lengths = np.sqrt(squares.astype(np.float64))
        # Squares of others overflow in float32, or vanish.
        again = np.flatnonzero(~((lengths >= SMALLEST) & (lengths <= LARGEST)))
        for start in range(0, len(again), _PART):
            of = again[start : start + _PART]
            lengths[of] = np.sqrt(np.square(part[of].astype(np.float64)).sum(axis=1))
    return lengths


def block_lengths(block: NDArray[Any]) -> NDArray[np.float64]:
    """Measure rows of a block, float16 or float32, shape (m, D); see `part_lengths`."""
    lengths = np.empty(len(block))
    with Widener(_PART, row_length(block)) as widened:
        for start in range(0, len(block), _PART):
            part = block[start : start + _PART]
            lengths[start : start + len(part)] = part_lengths(widened(part))
            if part.dtype == np.float16:
                lengths[start : start + len(part)][~is_finite(part)] = np.nan
    return lengths


def scale(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scale rows to length one in place, those of zeros to NaN; equal rows stay equal.

    Parameters
    ----------
    rows : float64 array, shape (m, D)
        Numbers that float32 holds, whose squares float64 holds.

    Returns
    -------
    float64 array, shape (m, D)
        The rows.
    """
    rows /= lengths_of(rows)[:, None]
    return rows


def lengths_of(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """The lengths that `scale` divides rows by, (m,); NaN of a row of zeros."""
    lengths: NDArray[np.float64] = np.sqrt(np.square(rows).sum(axis=1))
    lengths[lengths == 0] = np.nan
    return lengths

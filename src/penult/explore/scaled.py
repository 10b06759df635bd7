"""Rows in a range where their squares are numbers, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["scaled"]


def scaled(rows: NDArray[np.float32]) -> tuple[NDArray[np.float32], float]:
    """Divide rows by a power of two, so that the largest of their numbers is between 0.5 and 1.

    That changes no digit. Without it, squares of numbers above 1e19 are infinite in float32, and
    those of numbers below 1e-23 are zeros: all rows would be far apart, or the same.

    Parameters
    ----------
    rows : float32 array, shape (n, D)
        Finite.

    Returns
    -------
    rows : float32 array, shape (n, D)
    scale : float
        By which distances have to be multiplied.
    """
    exponent = int(np.frexp(np.abs(rows).max(initial=0))[1])
    return np.ldexp(rows, -exponent), 2.0**exponent

"""An order of points in which those that are near each other are mostly near in the order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["morton_order"]

_BITS = 16


def morton_order(xy: NDArray[np.floating[Any]]) -> NDArray[np.int64]:
    """Order points along Morton's curve (1966): by the bits of x and y in turn.

    Parameters
    ----------
    xy : float array, shape (N, 2)
        Finite.

    Returns
    -------
    int64 array, shape (N,)
        Their places, in that order.
    """
    if not len(xy):
        return np.empty(0, np.int64)
    low = xy.min(axis=0).astype(np.float64)
    span = np.maximum(xy.max(axis=0) - low, np.finfo(np.float32).tiny)
    cells = ((xy - low) / span * ((1 << _BITS) - 1)).astype(np.uint32)
    keys = np.zeros(len(xy), np.uint32)
    for bit in range(_BITS):
        for axis in (0, 1):
            keys |= ((cells[:, axis] >> bit) & 1) << np.uint32(2 * bit + axis)
    return np.argsort(keys, kind="stable")

"""Half precision made float32, exactly, at several times the speed of NumPy's cast."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["is_finite", "widen"]

# Sign, exponent and mantissa of a half, once it is moved to where a float32 has them.
_BITS = np.int32(-0x70002000)
# The exponents' offsets differ: 127 and 15. Halves below 2⁻¹⁴ are right, too, as both kinds of
# numbers thin out alike at their small end.
_OFFSET = np.float32(2.0**112)

# Numbers at a time, which stay in a core's own cache while they are gone over.
_CACHED = 1 << 16


def widen(rows: NDArray[np.float16], out: NDArray[np.float32]) -> NDArray[np.float32]:
    """Write half-precision numbers as float32, which holds each of them.

    Parameters
    ----------
    rows : float16 array
        Finite.
    out : float32 array of the same shape
        Where they are written.

    Returns
    -------
    float32 array
        `out`.
    """
    step = max(1, _CACHED // max(1, prod(rows.shape[1:])))
    for start in range(0, len(rows), step):
        part = out[start : start + step]
        bits = part.view(np.int32)
        # The sign fills the bits that the mask takes away.
        np.copyto(bits, rows[start : start + step].view(np.int16))
        np.left_shift(bits, 13, out=bits)
        np.bitwise_and(bits, _BITS, out=bits)
        np.multiply(part, _OFFSET, out=part)
    return out


def is_finite(rows: NDArray[np.float16]) -> NDArray[np.bool_]:
    """Tell which rows hold neither NaN nor infinite numbers; shape (n,) of (n, D)."""
    largest: NDArray[np.uint16] = (rows.view(np.uint16) & np.uint16(0x7FFF)).max(axis=1, initial=0)
    return np.less(largest, 0x7C00)

"""Half precision made float32, exactly, at several times the speed of NumPy's cast."""

from __future__ import annotations

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
    bits = out.view(np.int32)
    np.copyto(bits, rows.view(np.int16))  # the sign fills the bits that the mask takes away
    np.left_shift(bits, 13, out=bits)
    np.bitwise_and(bits, _BITS, out=bits)
    return np.multiply(out, _OFFSET, out=out)


def is_finite(rows: NDArray[np.float16]) -> NDArray[np.bool_]:
    """Tell which rows hold neither NaN nor infinite numbers; shape (n,) of (n, D)."""
    largest: NDArray[np.uint16] = (rows.view(np.uint16) & np.uint16(0x7FFF)).max(axis=1, initial=0)
    return np.less(largest, 0x7C00)

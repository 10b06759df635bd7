"""How far float32 scores of rows may be from the values that they stand for.

The bounds are those of N. Higham, *Accuracy and Stability of Numerical Algorithms*, 2nd ed., SIAM
2002: section 3.1. A product of two vectors of n numbers, in whatever order its terms are added, and
with fused multiplications or without, is off by at most γ_n |x|·|y|, where |x| are the absolute
values and γ_n = n u / (1 - n u); u is the unit roundoff, 2⁻²⁴ in float32. By Cauchy and Schwarz
|x|·|y| is at most the product of the lengths.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "LARGEST",
    "SMALLEST",
    "cosine_error",
    "euclidean_error",
    "gamma",
    "length_error",
    "unit_product_error",
]

SINGLE = 2.0**-24
DOUBLE = 2.0**-53

SMALLEST, LARGEST = 2.0**-40, 2.0**40
"""Lengths between which float32 products of rows neither overflow nor vanish."""


def gamma(n: int, roundoff: float = SINGLE) -> float:
    """Higham's γ_n, equation (3.4); infinite where n is so large that it bounds nothing."""
    return n * roundoff / (1 - n * roundoff) if n * roundoff < 1 else np.inf


def length_error(width: int) -> float:
    """Bound the relative error of a length that is the float64 root of a float32 sum of squares.

    The sum is off by a factor of 1 ± γ_n, since no term is negative, and its root by at most
    1 - √(1 - γ_n).
    """
    return 1 - float(np.sqrt(max(0.0, 1 - gamma(width))))


def cosine_error(width: int) -> float:
    """Bound how far a cosine's float32 score is from the float64 value.

    The score is (x·q) w: x the row in float32, q the query scaled to length one in float64 and then
    rounded, w the rounded inverse of the row's length. With ρ the relative error of that length,
    see `length_error`, the factors that rounding brings are 1 + u for q, 1 + γ_n for the product
    (of the lengths), and (1 + u)² / (1 - ρ) for w and the multiplication. What underflow adds is
    below n 2⁻¹⁰⁰, since lengths are at least `SMALLEST`. The value itself is worked out from n
    squares of differences, the square of whose length is at most 4: γ_{n+8} in float64 of that.

    Parameters
    ----------
    width : int
        How many numbers a row has, n.
    """
    relative = length_error(width)
    grown = (1 + SINGLE) ** 3 * (1 + gamma(width)) / max(1 - relative, np.finfo(float).tiny)
    return float(grown - 1 + width * 2.0**-100 + 4 * gamma(width + 8, DOUBLE))


def euclidean_error(width: int, longest: float, asked: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bound how far a distance's float32 score is from what the float64 value says.

    The score is x·q - x²/2, which is (q² - |x - q|²) / 2: larger is nearer. The product is off by
    γ_n |x| |q|; the half square, from a length whose relative error is ρ, see `length_error`, by a
    factor of (1 + ρ)² (1 + u)²; their difference by u of itself. Underflow adds less than
    (n + 2) 2⁻¹⁴⁹. The float64 value, and q² beside it, are off by γ_{n+8} of at most (|x| + |q|)².

    Parameters
    ----------
    width : int
        How many numbers a row has, n.
    longest : float
        The largest length |x| of the rows.
    asked : float64 array, shape (Q,)
        Lengths |q| of the queries.

    Returns
    -------
    float64 array, shape (Q,)
        Of each query.
    """
    relative = length_error(width)
    longest *= 1 + relative
    products, squares = longest * asked, longest**2 / 2
    single = products * ((1 + gamma(width)) * (1 + SINGLE) - 1)
    single += squares * ((1 + relative) ** 2 * (1 + SINGLE) ** 3 - 1)
    return single + (width + 2) * 2.0**-149 + gamma(width + 8, DOUBLE) * (longest + asked) ** 2


def unit_product_error(width: int) -> float:
    """Bound how far the float32 product of two rows is from the float64 value of their cosine.

    Both rows are scaled to length one in float64 and rounded once to float32: each number is off by
    a factor of (1 + u) for that, and of less than (1 + u) for the length and the quotient. The
    product of the rounded rows is off by γ_n of their lengths, at most 1 + 2 u each. So it is off
    from the product of the rows at length one by at most γ_n (1 + 2 u)² + 4 u + 4 u², and n 2⁻¹²⁴
    for numbers below 2⁻¹²⁶, which may be lost. The float64 value is off, too, as in `cosine_error`.

    Parameters
    ----------
    width : int
        How many numbers a row has, n.
    """
    # Of the 5 u a little less than u is left for the rounding of this function itself.
    products = gamma(width) * (1 + 2 * SINGLE) ** 2 + 5 * SINGLE
    return products + width * 2.0**-124 + 4 * gamma(width + 8, DOUBLE)

"""Whether differences are more than chance: the sign-flip test, and Holm's correction."""

from __future__ import annotations

from math import gcd
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LEAST_P", "holm", "sign_flip_p"]

LEAST_P = 1e-12  # smaller ones are lost in the rounding of the Fourier transform
_REACH = 8.0  # standard deviations of the sum: what lies beyond has less than 1e-13 of chance


def sign_flip_p(amounts: NDArray[np.int64], counts: NDArray[np.int64]) -> float:
    """Two-sided p of the sum of differences, whose signs are left to chance.

    If neither of two networks is better, each difference between them could as well be the other
    way round: p is the share of all ways to give the differences their signs whose sum is as far
    from 0 as that which was found, or farther (Fisher, *The Design of Experiments*, 1935, section
    21). Of differences that are -1, 0 or 1 it is McNemar's exact test.

    The share is exact, not of a sample of the signs. A sum of independent ``±a`` has the
    characteristic function ``prod(cos(a t))``, and the inverse Fourier transform of that, at as
    many points as the sum has whole numbers within eight standard deviations, gives each of them
    its probability. By Hoeffding's inequality less than 1e-13 lies beyond.

    Parameters
    ----------
    amounts : int64 array, shape (K,)
        The differences, in units in which they are whole numbers.
    counts : int64 array, shape (K,)
        How often each was found.

    Returns
    -------
    float
        At least `LEAST_P`; 1 where no difference was found.

    Examples
    --------
    Three differences, all the same way: of eight ways, two are as far from 0.

    >>> round(sign_flip_p(np.array([0, 1]), np.array([337, 3])), 12)
    0.25
    """
    sizes, places = np.unique(np.abs(amounts), return_inverse=True)
    often = np.bincount(places, weights=counts, minlength=len(sizes))
    total = abs(int(amounts @ counts))
    if not total:
        return 1.0
    step = gcd(*map(int, sizes))
    sizes, total = sizes // step, total // step
    deviation = float(np.sqrt(often @ sizes.astype(np.float64) ** 2))
    reach = int(min(often @ sizes, np.ceil(_REACH * deviation)))
    if total > reach:
        return LEAST_P
    points = 1 << (2 * reach + 1).bit_length()
    angles = np.arange(points // 2 + 1) * (2 * np.pi / points)
    characteristic = np.ones(len(angles))
    for size, times in zip(sizes, often, strict=True):
        characteristic *= np.cos(size * angles) ** times
    probabilities = np.fft.irfft(characteristic, points)[: points // 2]  # of 0, 1, 2, …
    return float(np.clip(2 * probabilities[total:].sum(), LEAST_P, 1.0))


def holm(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Correct p-values of several tests, so that the chance of any false alarm stays below theirs.

    Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian Journal of
    Statistics 1979: the smallest of m is multiplied by m, the next by m - 1, and so on, and none
    becomes smaller than the one before it. It needs no assumption on how the tests depend on each
    other, and finds all that Bonferroni's correction finds.

    Parameters
    ----------
    p : float64 array, shape (M,)
        In any order.

    Returns
    -------
    float64 array, shape (M,)
        In the same order, at most 1.

    Examples
    --------
    >>> holm(np.array([0.04, 0.01, 0.03])).round(2).tolist()
    [0.06, 0.03, 0.06]
    """
    order = np.argsort(p, kind="stable")
    factors = len(p) - np.arange(len(p))
    corrected = np.empty(len(p))
    corrected[order] = np.maximum.accumulate(factors * p[order]).clip(max=1.0)
    return corrected

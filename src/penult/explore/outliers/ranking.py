"""Where values stand among those of a reference: percentiles, and which are far."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LOF_ABOVE", "beyond", "percentiles_of", "upper_fence"]

LOF_ABOVE = 1.5
"""A local outlier factor up to this is never unusual, however alike all others are."""

_RANGES = 3.0
_ROUNDING = 1e-6  # relative: distances that would be equal but for their rows in float32


def percentiles_of(
    values: NDArray[np.float64], reference: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Say how much of a reference is less than each value.

    As ``scipy.stats.percentileofscore(reference, values, kind="strict")``. So the largest of m has
    100 (m - 1) / m, and what is above all of them 100.

    Parameters
    ----------
    values : float64 array, shape (n,)
    reference : float64 array, shape (m,)
        One at least.

    Returns
    -------
    float64 array, shape (n,)
        In [0, 100].
    """
    below = np.searchsorted(np.sort(reference), values, side="left")
    return 100 * below / len(reference)


def upper_fence(reference: NDArray[np.float64]) -> float:
    """Return Tukey's upper outer fence: Q3 + 3 (Q3 - Q1), above which values are "far out".

    Tukey (1977), Exploratory Data Analysis, section 2D. Quartiles do not move with the few values
    that the fence is there to find.

    Parameters
    ----------
    reference : float64 array, shape (m,)
        One at least.
    """
    q1, q3 = np.quantile(reference, (0.25, 0.75))
    return float(q3 + _RANGES * (q3 - q1))


def beyond(values: NDArray[np.float64], fence: float) -> NDArray[np.bool_]:
    """Say which values, 0 or more, are above a fence by more than rounding; shape (n,)."""
    return np.greater(values, fence * (1 + _ROUNDING))

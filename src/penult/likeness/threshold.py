"""Below which similarity a row is unlike the others: what is usual, and what is too far from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ROUNDING", "SHARE", "Usual", "find_apart", "lower_limit"]

SHARE = 0.01
"""The part of new photos of the trained classes that is meant to be called unlike them."""

# Of so many rows at most some are set aside; more of them are another kind of photo.
MOST_APART = 0.05
# What rounding may do to a cosine, in the rows that were kept and between two engines.
ROUNDING = 1e-4


@dataclass(frozen=True)
class Usual:
    """The similarities that a threshold was found from.

    Attributes
    ----------
    similarities : (n,), without strays
    count : how many of them are independent of each other
    floor : see `find_apart`
    """

    similarities: NDArray[np.float64]
    count: int
    floor: float

    def limit_with(self, similarities: NDArray[np.float64]) -> float:
        """Find the threshold from others as well, but for the strays among them."""
        every = np.concatenate([self.similarities, similarities])
        apart = find_apart(every, np.zeros(len(every), np.int64), self.floor)
        return lower_limit(np.delete(every, apart), self.count + len(similarities) - len(apart))


def find_apart(
    similarities: NDArray[np.float64], classes: NDArray[np.int64], floor: float = 1.0
) -> NDArray[np.int64]:
    """Find the few rows that are too far from all others to say what is usual.

    Parameters
    ----------
    similarities : (n,)
    classes : (n,)
    floor : one that is as similar as this is apart only where it is farther still

    Returns
    -------
    int64 array
        Their places, the least similar first; one in twenty of all at most.

    Notes
    -----
    It is judged by angles, for cosines crowd together below 1. The scale is that of the farther
    half, by its highest decile, for it has the longer tail; neither it nor the median sees a few
    stray rows. Apart is what lies beyond what half a row of a normal distribution exceeds
    (Chauvenet's criterion), and 2.5 of the scale at least, if it is below `floor` or one more of
    the scale away: shots in a row are so alike that another photo of the same class seems far. A
    class most of which lies there is another kind of photo, and wanted.
    """
    from scipy.stats import norm

    angles = np.arccos(similarities.clip(-1, 1))
    middle, high = np.quantile(angles, [0.5, 0.9])
    far = max(2.5, norm.ppf(1 - 0.5 / len(angles)))
    away = (angles - middle - ROUNDING) / max((high - middle) / norm.ppf(0.9), ROUNDING)
    beyond = (away > far + 1) | ((away > far) & (similarities < floor))
    beyond &= (np.bincount(classes, beyond) <= np.bincount(classes) / 2)[classes]
    most = max(1, int(MOST_APART * len(angles)))
    order = np.argsort(-angles, kind="stable")
    places: NDArray[np.int64] = order[beyond[order]][:most]
    return places


def lower_limit(similarities: NDArray[np.float64], count: int) -> float:
    """Say below what one in a hundred new ones will lie.

    Parameters
    ----------
    similarities : (n,)
    count : how many of them are independent of each other

    Notes
    -----
    The quantile is the one that is right on average (Weibull's, the smallest of n being the
    1/(n+1)-th). Of fewer than 99 even the smallest is too high, and what Student's t says of a new
    one takes its place.
    """
    from scipy.stats import t as student

    limit = float(np.quantile(similarities, SHARE, method="weibull"))
    if count < 1 / SHARE - 1:
        spread = similarities.std(ddof=1) * np.sqrt(1 + 1 / count)
        least = similarities.mean() - float(student.ppf(1 - SHARE, count - 1)) * spread
        limit = min(limit, float(least))
    return limit - ROUNDING

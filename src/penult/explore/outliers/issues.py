"""Which pictures are odd, by what was measured of them all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from penult.explore.outliers.picture_reader import MEASURES
from penult.records import PictureIssue

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["find_issues"]

_BELOW = {
    "dark": 0.32,
    "light": 0.05,
    "blurry": 0.29,
    "low_information": 0.3,
    "odd_aspect_ratio": 0.35,
    "grayscale": 0.5,
}
"""Scores below these are odd; all are cleanvision's (``ImagePropertyIssueManager``)."""

_RANGES = 3.0  # cleanvision's iqr_factor
_COMMON = 0.5  # cleanvision's max_prevalence


def find_issues(ids: Sequence[str], measures: NDArray[np.float64]) -> tuple[PictureIssue, ...]:
    """Find pictures that are odd, in the order of `penult.records.REASONS`.

    Thresholds are cleanvision's. Its ``odd_size`` is two here: ``tiny`` and ``large``, the square
    root of whose area is more than three times the range between the quartiles beyond them. Other
    than there, sizes up to twice or half the median are never odd, for where most pictures are of
    one size that range is 0; and those under a quarter of it always are, for where sizes differ
    much no fence is left above 0.

    Parameters
    ----------
    ids : sequence of str, length N
    measures : float64 array, shape (N, 7)
        Of each; NaN for those that were not measured.

    Returns
    -------
    tuple of PictureIssue
        Those that some picture has.
    """
    columns = dict(zip(MEASURES, measures.T, strict=True))
    sizes = columns["size"]
    known = sizes[~np.isnan(sizes)]
    if not len(known):
        return ()
    least, most = _usual_sizes(known)
    found = []
    for reason, below in _BELOW.items():
        if reason == "grayscale":  # the last, behind the sizes
            found.append(_issue(ids, "tiny", sizes, least))
            found.append(_issue(ids, "large", sizes, most, above=True))
        found.append(_issue(ids, reason, columns[reason], below))
    return tuple(one for one in found if len(one))


def _usual_sizes(sizes: NDArray[np.float64]) -> tuple[float, float]:
    q1, median, q3 = np.percentile(sizes, (25, 50, 75))
    apart = _RANGES * (q3 - q1)
    least = max(median / 4, min(q1 - apart, median / 2))
    return float(least), float(max(q3 + apart, 2 * median))


def _issue(
    ids: Sequence[str],
    reason: str,
    values: NDArray[np.float64],
    threshold: float,
    *,
    above: bool = False,
) -> PictureIssue:
    # What was not measured is on neither side.
    odd = np.flatnonzero(values > threshold if above else values < threshold)
    worst = odd[np.argsort(-values[odd] if above else values[odd], kind="stable")].tolist()
    return PictureIssue(
        reason=reason,
        ids=tuple(str(ids[place]) for place in worst),
        values=tuple(float(values[place]) for place in worst),
        threshold=threshold,
        common=len(worst) > _COMMON * int((~np.isnan(values)).sum()),
    )

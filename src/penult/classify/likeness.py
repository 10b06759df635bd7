"""Whether a photo is like anything that a classifier was trained on.

A classifier has no class for "none of these". So beside it some of its training rows are kept, and
a new row whose cosine to the fifth nearest of them is below a threshold is *unlike* them. The
threshold is such that about one in a hundred new photos of the trained classes lies below it.
`docs/predict.md` says how well that does; `benchmarks/unlike.py` measures it.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.partition.nearest import kth_cosine, unit_rows
from penult.partition.row_groups import index_groups
from penult.partition.rows import read_blocks, read_rows, row_length
from penult.partition.sampling import balanced_sample

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records import Features

__all__ = ["Likeness"]

SHARE = 0.01
"""The part of new photos of the trained classes that is meant to be called unlike them."""

# One neighbour may be a stray photo among the training images, a mistake in them.
NEIGHBOURS = 5
# More find hardly more (benchmarks/RESULTS.md), and take their place in the file.
MOST_ROWS, MOST_BYTES = 1000, 2 << 20
# The percentile of so many rows is sharp enough.
MOST_CALIBRATED = 10_000
# What rounding may do to a cosine, in the rows that were kept and between two engines.
ROUNDING = 1e-4


@dataclass(frozen=True, kw_only=True)
class Likeness:
    """What tells photos like those that a classifier was trained on from others.

    Attributes
    ----------
    threshold : float
        Photos whose similarity is below it are unlike the training photos.
    neighbours : int
        The similarity is the cosine to the so-manieth nearest of the rows that were kept.
    kept : int
        Number of training rows that were kept.
    calibrated : int
        Number of training rows that the threshold was found from.
    share : float
        The part of new photos of the trained classes that the threshold is meant to mark.
    held_out_share : float or None
        The part of the held-out photos that it marked; None where it was not tried on any.
    rows : int8 array, shape (kept, D), or None
        The rows, each scaled so that its largest number is 127; None where only the description of
        a classifier was read.
    """

    threshold: float
    neighbours: int
    kept: int
    calibrated: int
    share: float = SHARE
    held_out_share: float | None = None
    rows: NDArray[np.int8] | None = field(default=None, compare=False, repr=False)

    @classmethod
    def of(
        cls,
        features: Features,
        numbers: NDArray[np.int64],
        labels: NDArray[Any],
        groups: NDArray[np.str_] | None,
        *,
        seed: int,
    ) -> Likeness | None:
        """Keep some rows, and find the threshold on all of them.

        A row is never compared with itself, with the same image, or with others of its group: a new
        photo finds none of its own either.

        Parameters
        ----------
        features : the file
        numbers : (n,) of the rows that train, ascending
        labels : (n,) their classes; or (n, K) bool where images have several
        groups : (n,) which rows belong together; None where each stands alone
        seed : of the random choice

        Returns
        -------
        Likeness or None
            None of fewer than six images, or groups, which say too little.
        """
        first, units = index_groups(groups, len(numbers))
        if len(first) <= NEIGHBOURS:
            return None
        size = min(MOST_ROWS, max(NEIGHBOURS + 1, MOST_BYTES // row_length(features)))
        kept = balanced_sample(_rarest(labels), size, seed=seed)
        rows = _packed(read_rows(features, numbers[kept]))
        others = unit_rows(rows)
        asked = np.random.default_rng(seed).permutation(len(numbers))[:MOST_CALIBRATED]
        asked.sort()
        found = np.empty(len(asked), np.float32)
        for part, block in read_blocks(features, numbers[asked]):
            pair = (units[asked[part]], units[kept])
            found[part] = kth_cosine(unit_rows(block), others, NEIGHBOURS, units=pair)
        alone = np.isfinite(found)
        count = len(np.unique(units[asked[alone]]))
        if count <= NEIGHBOURS:
            return None
        return cls(
            threshold=lower_limit(found[alone].astype(np.float64), count),
            neighbours=NEIGHBOURS,
            kept=len(kept),
            calibrated=int(alone.sum()),
            rows=rows,
        )

    @cached_property
    def _others(self) -> NDArray[np.float32]:
        assert self.rows is not None
        return unit_rows(self.rows)

    def similarity(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Measure how near rows come to the training rows.

        Parameters
        ----------
        rows : float32 array, shape (n, D)
            Finite.

        Returns
        -------
        float32 array, shape (n,)
            Cosines, in [-1, 1].
        """
        return kth_cosine(unit_rows(rows), self._others, self.neighbours).clip(-1, 1)

    def to_dict(self) -> dict[str, Any]:
        """Write it, without the rows, as what JSON can hold."""
        return {
            one.name: getattr(self, one.name)
            for one in dataclasses.fields(self)
            if one.name != "rows"
        }


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


def _packed(rows: NDArray[np.float32]) -> NDArray[np.int8]:
    # An eighth of a percent of the largest number is lost; float16 finds nothing more.
    largest = np.abs(rows).max(axis=1, keepdims=True, initial=0)
    return np.rint(rows / np.where(largest > 0, largest, 1) * 127).astype(np.int8)


def _rarest(labels: NDArray[Any]) -> NDArray[np.int64]:
    # Of several labels the one that the fewest have; those without one are a class of their own.
    if labels.ndim == 1:
        return np.unique(labels, return_inverse=True)[1].astype(np.int64)
    order = np.argsort(labels.sum(axis=0), kind="stable")
    rarest: NDArray[np.int64] = labels[:, order].argmax(axis=1)
    rarest[~labels.any(axis=1)] = labels.shape[1]
    return rarest

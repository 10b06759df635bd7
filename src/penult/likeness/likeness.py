"""Whether a photo is like anything that a classifier was trained on, or that is in a gallery.

A classifier has no class for "none of these". So beside it some of its training rows are kept, and
a new row whose cosine to the fifth nearest of them is below a threshold is *unlike* them. The rows
of a gallery take the place of training rows where there is no classifier. The
threshold is such that about one in a hundred new photos of the trained classes lies below it. A few
stray photos among the training images, a screenshot for example, must not decide it: they are set
aside first, and named. Where it marks clearly more of the photos held out, they are believed, and
it is lowered.
`docs/predict.md` says how well that does; `benchmarks/unlike.py` measures it.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.likeness.threshold import SHARE, Usual, find_apart, lower_limit
from penult.neighbors.unit import kth_cosine, unit_rows
from penult.partition.row_groups import index_groups
from penult.partition.rows import read_blocks, read_rows, row_length
from penult.partition.sampling import balanced_sample

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records import Features

__all__ = ["Likeness"]

# One neighbour may be a stray photo among the training images, a mistake in them.
NEIGHBOURS = 5
# More find hardly more (benchmarks/RESULTS.md), and take their place in the file.
MOST_ROWS, MOST_BYTES = 1000, 2 << 20
# The percentile of so many rows is sharp enough.
MOST_CALIBRATED = 10_000
# A stray is less near to all others than photos of one class are to those of the other classes,
# but for this part of them.
LEAST_BETWEEN = 0.05
# Of so many held-out photos more are marked than were meant, if chance does that so rarely.
RARE = 0.05

_BLOCK = 4 << 20
"""Bytes of rows at a time: a few of their size are needed, where memory may be short."""


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
        The part of the held-out photos that it marks; None where it was not tried on any.
    lowered_from : float or None
        The threshold that the training photos alone had given, where it marked clearly more of the
        held-out photos than `share`, and they were taken into account as well; else None.
    strays : tuple of str
        Ids of training photos that are themselves unlike the others, the least alike first. The
        threshold was found without them, and without a few more that came near to it.
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
    lowered_from: float | None = None
    strays: tuple[str, ...] = ()
    rows: NDArray[np.int8] | None = field(default=None, compare=False, repr=False)
    _usual: Usual | None = field(default=None, compare=False, repr=False)

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
        classes = _rarest(labels)
        kept = balanced_sample(classes, size, seed=seed)
        rows = _packed(read_rows(features, numbers[kept]))
        others = unit_rows(rows)
        asked = np.random.default_rng(seed).permutation(len(numbers))[:MOST_CALIBRATED]
        asked.sort()
        found, between = np.empty((2, len(asked)), np.float32)
        for part, block in read_blocks(features, numbers[asked], block_bytes=_BLOCK):
            unit, pair = unit_rows(block), (units[asked[part]], units[kept])
            found[part] = kth_cosine(unit, others, NEIGHBOURS, units=pair)
            pair = (classes[asked[part]], classes[kept])
            between[part] = kth_cosine(unit, others, NEIGHBOURS, units=pair)
        alone = np.isfinite(found)
        asked, similarities = asked[alone], found[alone].astype(np.float64)
        if len(np.unique(units[asked])) <= NEIGHBOURS:
            return None
        between = between[np.isfinite(between)]
        floor = float(np.quantile(between, LEAST_BETWEEN)) if len(between) else 1.0
        apart = find_apart(similarities, classes[asked], floor)
        usual = np.delete(asked, apart)
        near = Usual(np.delete(similarities, apart), len(np.unique(units[usual])), floor)
        threshold = lower_limit(near.similarities, near.count)
        # Only what the threshold marks, as it would mark a new photo, is worth a look.
        strays = asked[apart[similarities[apart] < threshold]]
        return cls(
            threshold=threshold,
            neighbours=NEIGHBOURS,
            kept=len(kept),
            calibrated=len(asked),
            strays=tuple(str(features.ids[k]) for k in numbers[strays]),
            rows=rows,
            _usual=near,
        )

    def tried_on(self, similarity: NDArray[np.float32]) -> Likeness:
        """Take into account what the threshold does to photos that were held out.

        Where it marks so many of them as chance hardly does, the photos that train are more alike
        than others of their classes, shots in a row for example; the threshold is found again, from
        all of them together.

        Parameters
        ----------
        similarity : float32 array, shape (n,)
            Of the held-out photos, all of which are of trained classes.

        Returns
        -------
        Likeness
            With its `held_out_share`.
        """
        found, marked = self, self.is_unlike(similarity)
        if self._usual is not None and self.is_high(int(marked.sum()), len(marked)):
            lower = self._usual.limit_with(similarity.astype(np.float64))
            if lower < self.threshold:
                found = replace(self, threshold=lower, lowered_from=self.threshold)
                marked = found.is_unlike(similarity)
        return replace(found, held_out_share=float(marked.mean()))

    def is_high(self, marked: int, total: int) -> bool:
        """Whether so many marked of so many photos are more than chance makes of `share`.

        Parameters
        ----------
        marked, total : int

        Returns
        -------
        bool
        """
        from scipy.stats import binom

        return bool(binom.sf(marked - 1, total, self.share) < RARE)

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

    def is_unlike(self, similarity: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Say which rows are unlike the training rows, by their `similarity`.

        Parameters
        ----------
        similarity : float32 array, shape (n,)

        Returns
        -------
        bool array, shape (n,)
        """
        return np.asarray(similarity, np.float64) < self.threshold

    def to_dict(self) -> dict[str, Any]:
        """Write it, without the rows, as what JSON can hold."""
        return {
            one.name: getattr(self, one.name)
            for one in dataclasses.fields(self)
            if one.name not in ("rows", "_usual")
        }


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

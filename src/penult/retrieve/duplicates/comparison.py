"""All rows compared with all: what is kept of the stream of near pairs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from penult.neighbors.forest import Forest, number_groups
from penult.neighbors.pairs import Pairs
from penult.records import ThresholdCount
from penult.retrieve.duplicates.kept_pairs import MostSimilar, NearestTo
from penult.retrieve.duplicates.stream import all_pairs, least_countable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records import Features

__all__ = ["Comparison", "calibration_levels", "compare", "group_numbers", "label_numbers"]

_LEVELS = (0.99, 0.97, 0.95, 0.93, 0.90)
_STEP = 0.05  # of further levels, where the threshold is below all of these

_EXAMPLES = 4  # pairs a cosine
_SAME = 1 - 1e-6  # from here on there is nothing to be seen

# More pairs are counted, and not listed: copies of one placeholder alone may be thousands of
# millions.
_MOST_LISTED = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What came of comparing all rows with all.

    Attributes
    ----------
    threshold : float
        From which pairs are near-duplicates.
    least : float
        The least cosine that was looked for; at most the threshold.
    pairs : int
        Near-duplicates, or identical.
    links : Pairs
        Those that hold the rows together, from `least` up.
    counts : tuple of ThresholdCount
        At `calibration_levels`, as far as they were looked for; the highest first.
    examples : Pairs
        Of each of these levels the nearest above it; the most similar first.
    across, suspects : Pairs
        Near-duplicates in different parts, and of different labels; the most similar first.
    across_total, suspects_total : int
        How many there are: the most similar are listed.
    leaked : bool array, shape (N,)
        The rows to score with of which a row to train with is a near-duplicate.
    """

    threshold: float
    least: float
    pairs: int
    links: Pairs
    counts: tuple[ThresholdCount, ...]
    examples: Pairs
    across: Pairs
    suspects: Pairs
    across_total: int
    suspects_total: int
    leaked: NDArray[np.bool_]


def calibration_levels(threshold: float) -> tuple[float, ...]:
    """Cosines at which pairs are counted and shown, so that a threshold can be chosen.

    Returns
    -------
    tuple of float
        0.99, 0.97, 0.95, 0.93, 0.90 and the threshold, the highest first; where that is below them,
        those between in steps of 0.05 as well.
    """
    steps = range(1, int(_LEVELS[-1] / _STEP))
    further = (round(_LEVELS[-1] - _STEP * k, 2) for k in steps)
    return tuple(
        sorted({threshold, *_LEVELS, *(one for one in further if one > threshold)}, reverse=True)
    )


def compare(
    features: Features,
    threshold: float,
    *,
    parts: NDArray[np.int64] | None = None,
    train: NDArray[np.int64] | None = None,
    held_out: NDArray[np.int64] | None = None,
    memory: int | None = None,
) -> Comparison:
    """Compare all rows with all.

    Parameters
    ----------
    features : Features
    threshold : float
        Least cosine of near-duplicates, in (0, 1].
    parts : int64 array, shape (N,), optional
        The part of each row, -1 for none.
    train, held_out : int64 arrays, optional
        Places of the rows that train and those to score with.
    memory : int, optional
        Bytes that may be taken.

    Raises
    ------
    SearchError
        If a row holds a NaN or an infinity; names the ids.
    """
    total = len(features)
    wanted = calibration_levels(threshold)
    least = least_countable(features, threshold, wanted)
    levels = [one for one in wanted if one >= least]
    found = np.zeros(len(levels), np.int64)
    forest = Forest(total)
    across, suspects = MostSimilar(_MOST_LISTED), MostSimilar(_MOST_LISTED)
    nearest = [NearestTo(_EXAMPLES, one) for one in levels]
    labels = label_numbers(features)
    role = np.zeros(total, np.int8)
    if train is not None and held_out is not None:
        role[train], role[held_out] = 1, 2
    leaked = np.zeros(total, bool)
    for pairs, exact in all_pairs(features, least, memory):
        first, second, cosine = pairs.first, pairs.second, pairs.cosine
        forest.add(pairs)
        found += np.array([int((cosine >= level).sum()) for level in levels])
        if not exact:
            # What a level finds, and the next higher one does not.
            for example, higher in zip(nearest, [_SAME, *levels], strict=False):
                example.add(pairs, (cosine >= example.value) & (cosine < min(higher, _SAME)))
        near = cosine >= threshold
        here, there = labels[first], labels[second]
        suspects.add(pairs, near & (here != there) & (here >= 0) & (there >= 0))
        if parts is not None:
            here, there = parts[first], parts[second]
            across.add(pairs, near & (here != there) & (here >= 0) & (there >= 0))
        for one, other in ((first, second), (second, first)):
            leaked[one[near & (role[one] == 2) & (role[other] == 1)]] = True
    links = forest.links()
    examples = Pairs.joined(example.pairs() for example in nearest)
    return Comparison(
        threshold=threshold,
        least=least,
        pairs=int(found[levels.index(threshold)]),
        links=links,
        counts=tuple(
            _counted(total, links, level, int(pairs))
            for level, pairs in zip(levels, found, strict=True)
        ),
        examples=examples.at(np.lexsort((examples.second, examples.first, -examples.cosine))),
        across=across.pairs(),
        suspects=suspects.pairs(),
        across_total=across.total,
        suspects_total=suspects.total,
        leaked=leaked,
    )


def group_numbers(total: int, links: Pairs, threshold: float) -> NDArray[np.int64]:
    """Number the groups that the links from a threshold up make, in the order of their first rows.

    Parameters
    ----------
    total : int
        How many rows there are, N.
    links : Pairs
    threshold : float
        Least cosine of a link.

    Returns
    -------
    int64 array, shape (N,)
        A row alone is a group, too.
    """
    return number_groups(total, links.at(links.cosine >= threshold))


def label_numbers(features: Features) -> NDArray[np.int64]:
    """Number the labels of each row, or the set of them where it may have several; -1 for none.

    Returns
    -------
    int64 array, shape (N,)
    """
    if features.targets is None:
        return np.asarray(features.labels, np.int64)
    targets = np.asarray(features.targets, bool)
    if not targets.shape[1]:
        return np.full(len(targets), -1, np.int64)
    packed = np.ascontiguousarray(np.packbits(targets, axis=1))
    keys = packed.view(f"V{packed.shape[1]}").ravel()
    numbers = np.unique(keys, return_inverse=True)[1].astype(np.int64)
    return np.where(targets.any(axis=1), numbers, -1)


def _counted(total: int, links: Pairs, threshold: float, pairs: int) -> ThresholdCount:
    sizes = np.bincount(group_numbers(total, links, threshold), minlength=1)
    several = sizes[sizes > 1]
    return ThresholdCount(
        threshold=threshold, pairs=pairs, groups=len(several), images=int(several.sum())
    )

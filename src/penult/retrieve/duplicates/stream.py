"""All near pairs of a dataset, those of identical files among them, in a stream of blocks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from penult.neighbors.blocks import blocks, read_at
from penult.neighbors.pairs import Pairs, near_pairs
from penult.neighbors.unit import unit_rows
from penult.partition.row_groups import content_numbers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records import Features

__all__ = ["all_pairs", "find_zeros", "least_countable"]

_BLOCK = 1 << 20  # pairs of identical files at a time

# Rows whose pairs stand for those of all, where it is asked whether there are more than so many.
_SAMPLE = 2000
_MOST_PAIRS = 10_000_000


def all_pairs(
    features: Features, threshold: float, memory: int | None = None
) -> Iterator[tuple[Pairs, bool]]:
    """Find all pairs that are one file, byte for byte, and all others of at least that cosine.

    Parameters
    ----------
    features : Features
        Maps and tokens are flattened.
    threshold : float
        In (0, 1].
    memory : int, optional
        Bytes that may be taken; see `near_pairs`.

    Yields
    ------
    pairs : Pairs
        Each unordered pair once.
    exact : bool
        Whether these are one file each; their cosine is 1 then, whatever their rows say.

    Raises
    ------
    SearchError
        If a row holds a NaN or an infinity; names the ids.
    """
    content = content_numbers(features)
    for first, second in _pairs_of_equal(content):
        yield Pairs.of(first, second, np.ones(len(first))), True
    for pairs in near_pairs(features.features, threshold, ids=features.ids, memory=memory):
        other = content[pairs.first] != content[pairs.second]
        if other.any():
            yield pairs.at(other), False


def _pairs_of_equal(
    numbers: NDArray[np.int64],
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """All pairs of places that have the same number, a block at a time."""
    order = np.argsort(numbers, kind="stable")
    starts = np.flatnonzero(np.diff(numbers[order], prepend=-1))
    sizes = np.diff(starts, append=len(order))
    firsts: list[NDArray[np.int64]] = []
    seconds: list[NDArray[np.int64]] = []
    held = 0
    for start, size in zip(starts[sizes > 1], sizes[sizes > 1], strict=True):
        members = np.sort(order[start : start + size])
        for k in range(size - 1):
            seconds.append(members[k + 1 :])
            firsts.append(np.full(size - 1 - k, members[k]))
            held += size - 1 - k
            if held >= _BLOCK:
                yield np.concatenate(firsts), np.concatenate(seconds)
                firsts, seconds, held = [], [], 0
    if held:
        yield np.concatenate(firsts), np.concatenate(seconds)


def find_zeros(features: Features) -> NDArray[np.int64]:
    """Find the rows that are all zeros, which have no cosine.

    Returns
    -------
    int64 array, shape (n,)
        Their places.
    """
    found = [np.empty(0, np.int64)]
    for start, block in blocks(features.features):
        found.append(start + np.flatnonzero(~block.any(axis=1)))
    return np.concatenate(found)


def least_countable(features: Features, threshold: float, wanted: tuple[float, ...]) -> float:
    """Say down to which cosine pairs can be counted, without so many that they take all day.

    Pairs below the threshold are for calibration alone. Where images are much alike, they may be
    thousands of millions; a sample of the rows says whether they are.

    Parameters
    ----------
    features : Features
    threshold : float
        Down to here they are found in any case.
    wanted : tuple of float
        Lower ones, down to which they would be looked at.

    Returns
    -------
    float
        One of these, or the threshold.
    """
    total = len(features)
    some = np.sort(np.random.default_rng(0).permutation(total)[:_SAMPLE])
    below = sorted(one for one in wanted if one < threshold)
    if len(some) < 2 or not below:
        return threshold
    rows = read_at(features.features, some).reshape(len(some), -1)
    unit = unit_rows(np.nan_to_num(rows))
    cosines = (unit @ unit.T)[np.triu_indices(len(some), 1)]
    for least in below:
        share = float((cosines >= least).mean())
        if share * total * (total - 1) / 2 <= _MOST_PAIRS:
            return least
    return threshold

"""Groups of near-duplicates as records: which one to keep, what links them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from penult.neighbors.blocks import as_block, read_at
from penult.neighbors.pair_values import as_asked, pair_values
from penult.records import DuplicateGroup, DuplicatePair
from penult.retrieve.duplicates.comparison import group_numbers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.images.size import ImageSize
    from penult.neighbors.pairs import Pairs
    from penult.records import Features
    from penult.records.duplicate_group import KeptFor
    from penult.retrieve.duplicates.comparison import Comparison

__all__ = ["PairWriter", "find_members", "make_groups"]

# Not "photocopy" or "copyright": a word of its own, or a number in parentheses at the end.
_COPY = re.compile(r"(?<![^\W_])copy(?![^\W\d_])|\(\d+\)$", re.IGNORECASE)
_MOST_AT_ONCE = 1024  # rows of a group that are read at a time


@dataclass(frozen=True, kw_only=True)
class PairWriter:
    """Turns pairs of places into records of ids, labels and parts.

    Attributes
    ----------
    ids : sequence of str, length N
    labels : sequence of str or None, length N
        As text.
    splits : sequence of str or None, length N
        The part of each row.
    content : sequence of str, length N, or None
        Digests.
    """

    ids: Sequence[str]
    labels: Sequence[str | None]
    splits: Sequence[str | None]
    content: Sequence[str] | None

    def write(self, pairs: Pairs) -> tuple[DuplicatePair, ...]:
        """Make a record of each."""
        every = zip(pairs.first.tolist(), pairs.second.tolist(), pairs.cosine.tolist(), strict=True)
        return tuple(self.one(*pair) for pair in every)

    def one(self, first: int, second: int, cosine: float) -> DuplicatePair:
        """Make a record of one."""
        return DuplicatePair(
            str(self.ids[first]),
            str(self.ids[second]),
            cosine,
            self.same(first, second),
            (self.labels[first], self.labels[second]),
            (self.splits[first], self.splits[second]),
        )

    def same(self, first: int, second: int) -> bool:
        """Whether two are one file."""
        if self.content is None:
            return False
        return str(self.content[first]) == str(self.content[second]) != ""


def find_members(total: int, comparison: Comparison) -> list[NDArray[np.int64]]:
    """Find the groups of two rows and more, in the order of their first rows.

    Returns
    -------
    list of int64 array
        Places, ascending.
    """
    numbers = group_numbers(total, comparison.links, comparison.threshold)
    order = np.argsort(numbers, kind="stable")
    starts = np.flatnonzero(np.diff(numbers[order], prepend=-1))
    return [one for one in np.split(order, starts[1:]) if len(one) > 1]


def make_groups(
    features: Features,
    comparison: Comparison,
    members: Sequence[NDArray[np.int64]],
    sizes: Mapping[int, ImageSize],
    writer: PairWriter,
) -> tuple[DuplicateGroup, ...]:
    """Make records of groups, those of most images first.

    Parameters
    ----------
    features : Features
    comparison : Comparison
        Of its rows.
    members : sequence of int64 array
        Of `find_members`.
    sizes : mapping of int to ImageSize
        Place to size, of those images that are there.
    writer : PairWriter
    """
    links = comparison.links
    held = np.flatnonzero(links.cosine >= comparison.threshold)
    number = np.full(len(features), -1, np.int64)
    for k, places in enumerate(members):
        number[places] = k
    # Links in the order of their groups, the weakest first.
    held = held[np.lexsort((links.second[held], links.first[held], links.cosine[held]))]
    held = held[np.argsort(number[links.first[held]], kind="stable")]
    stops = np.cumsum([len(places) - 1 for places in members])
    made = []
    for places, stop in zip(members, stops.tolist(), strict=True):
        own = held[stop - len(places) + 1 : stop]
        named = places.tolist()
        keep, kept_for = _choose({k: str(features.ids[k]) for k in named}, sizes)
        made.append(
            DuplicateGroup(
                ids=tuple(str(features.ids[k]) for k in named),
                keep=str(features.ids[keep]),
                weakest=float(links.cosine[own[0]]),
                exact=all(writer.same(named[0], k) for k in named[1:]),
                links=tuple(
                    writer.one(int(links.first[k]), int(links.second[k]), float(links.cosine[k]))
                    for k in own
                ),
                kept_for=kept_for,
                cosines=_cosines(features, places, keep, writer),
                labels=tuple(writer.labels[k] for k in named),
                splits=tuple(writer.splits[k] for k in named),
            )
        )
    # Sorting is stable: equals stay in the order of the file.
    return tuple(sorted(made, key=lambda one: (-len(one), -one.weakest)))


def _choose(ids: Mapping[int, str], sizes: Mapping[int, ImageSize]) -> tuple[int, KeptFor]:
    """The image with most pixels, then most bytes, then by its name; and which it was.

    Names that say that they are copies come last: ``rose (2).jpg``, ``copy_01.jpg``. Of the others
    it is the shortest name, and of equally long ones the first by its id.
    """
    by_id = sorted(ids, key=lambda k: _by_name(ids[k]))
    there = [k for k in by_id if k in sizes]
    if not there:
        return by_id[0], "order"
    best = max(there, key=lambda k: sizes[k])  # the first of equals
    others = [sizes[k] for k in there if k != best]
    if others and all(one.pixels < sizes[best].pixels for one in others):
        return best, "pixels"
    if others and all(one < sizes[best] for one in others):
        return best, "bytes"
    return best, "order"


def _by_name(image_id: str) -> tuple[bool, int, str]:
    name = image_id.rpartition("/")[2]
    stem = name.rpartition(".")[0] or name
    return _COPY.search(stem) is not None, len(name), image_id


def _cosines(
    features: Features, places: NDArray[np.int64], keep: int, writer: PairWriter
) -> tuple[float, ...]:
    """Of each to the kept one, in float64 and by differences; of one file 1."""
    kept = as_asked(read_at(features.features, np.array([keep])), "cosine")
    found: list[float] = []
    for start in range(0, len(places), _MOST_AT_ONCE):
        rows = as_block(read_at(features.features, places[start : start + _MOST_AT_ONCE]))
        every = np.arange(len(rows))
        values = pair_values(rows, every, kept, np.zeros_like(every), "cosine")
        found += np.nan_to_num(values).tolist()  # a row of zeros is near to nothing
    return tuple(
        1.0 if k == keep or writer.same(k, keep) else cosine
        for k, cosine in zip(places.tolist(), found, strict=True)
    )

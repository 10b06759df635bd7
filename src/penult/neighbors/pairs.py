"""All pairs of rows that are near to each other: complete, streamed, bounded in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.machine import free_memory
from penult.neighbors.blocks import row_length
from penult.neighbors.distinct import DistinctRows
from penult.neighbors.join import JoinSizes, near_numbers
from penult.progress import shown
from penult.records import Progress
from penult.representation import short_repr

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records import Rows

__all__ = ["Pairs", "least_memory", "near_pairs"]

_PAIRS = 1 << 16
"""Pairs that are yielded at once, at most."""

_FEW = 10_000
"""Rows that are compared within a few seconds."""

_FIXED_BYTES = 10 << 20
"""Of what is taken however long and however many rows are: of pairs, and of rows read once."""

_ROW_BYTES = 200
"""Of what is kept of each row, its digest, length and number, and of what sorts them."""


@short_repr
@dataclass(frozen=True, kw_only=True)
class Pairs:
    """Pairs of rows that are near to each other.

    Attributes
    ----------
    first, second : int64 arrays, shape (P,)
        Places of the two rows; the first is always the smaller.
    cosine : float64 array, shape (P,)
        Their cosine similarity, 1 exactly where the rows are equal.
    count : int
        How many pairs these stand for: P, or more where copies were left out.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    cosine: NDArray[np.float64]
    count: int

    def __len__(self) -> int:
        """P, the number of pairs that are here."""
        return len(self.first)

    @classmethod
    def of(
        cls, first: NDArray[np.int64], second: NDArray[np.int64], cosine: NDArray[np.float64]
    ) -> Pairs:
        """Make pairs that stand for themselves alone."""
        return cls(first=first, second=second, cosine=cosine, count=len(first))

    @classmethod
    def joined(cls, parts: Iterable[Pairs]) -> Pairs:
        """Put pairs one after the other, each standing for itself alone."""
        none = np.empty(0, np.int64)
        every = [cls.of(none, none, np.empty(0)), *parts]
        return cls.of(
            np.concatenate([one.first for one in every]),
            np.concatenate([one.second for one in every]),
            np.concatenate([one.cosine for one in every]),
        )

    def at(self, which: NDArray[Any]) -> Pairs:
        """Some of the pairs, by their numbers or a mask."""
        return self.of(self.first[which], self.second[which], self.cosine[which])


def near_pairs(
    rows: Rows,
    threshold: float,
    *,
    ids: Sequence[str] | None = None,
    every: bool = True,
    memory: int | None = None,
    block: int | None = None,
) -> Iterator[Pairs]:
    """Find all pairs of rows of at least that cosine.

    Candidates are found by float32 products of the rows at length one, a tile at a time, with a
    threshold that is lower by all that rounding can do (`candidate_limit`); then their cosines are
    worked out in float64 from the differences of the rows, and decide. Of each two tiles that
    mirror each other only one is computed. Rows that are equal, byte for byte, are compared once.

    Parameters
    ----------
    rows : float32 or float16 array or h5py dataset, shape (N, …)
        Flattened to (N, D). Rows of zeros have no cosine and are in no pair.
    threshold : float
        Least cosine, in (0, 1].
    ids : sequence of str, length N, optional
        To name rows by that cannot be compared; else their places are said.
    every : bool, default=True
        Whether all pairs come out. If not, copies are left out that tell nothing more about which
        rows belong together: each copy is paired with the first row that equals it, and the first
        alone with other rows. `Pairs.count` says how many pairs there are all the same. A hundred
        thousand copies of one row are five thousand million pairs.
    memory : int, optional
        Bytes that may be taken, beyond rows that are in memory; by default half of what is free.
        Less than `least_memory` is not kept to.
    block : int, optional
        Rows of a tile; by default as many as are fast.

    Yields
    ------
    Pairs
        Each unordered pair once, at most 65,536 at a time. First those of equal rows, then
        those of others; either are ordered by the first rows that equal each of the two, and
        then by the rows themselves. Neither the number of threads, nor the block size, nor the
        memory changes the pairs, their cosines or their order.

    Raises
    ------
    SearchError
        If a row holds a NaN or an infinity; names the ids.
    """
    memory = free_memory() // 2 if memory is None else memory
    width, itemsize = row_length(rows), rows.dtype.itemsize
    memory -= _ROW_BYTES * len(rows) + _FIXED_BYTES
    distinct = DistinctRows.of(rows, ids)
    yield from _copies(distinct, every)
    if len(distinct) < 2:
        return
    read = not isinstance(rows, np.ndarray)
    taken = len(distinct) * width * itemsize
    if read and taken <= memory // 2:
        distinct, read = _in_memory(distinct), False
        memory -= taken
    sizes = JoinSizes.within(memory, width, itemsize, read=read)
    if block is not None:
        sizes = replace(sizes, block=block, strip=max(1, sizes.strip // block) * block)
    pairs = len(distinct) * (len(distinct) - 1) // 2
    brief = len(distinct) < _FEW
    with shown(None) as tell:

        def step(part: float) -> None:
            done = round(part * pairs)
            tell(Progress(done, pairs, 0, stage="comparing all rows", unit="pairs", brief=brief))

        step(0.0)
        for found in near_numbers(distinct, threshold, sizes, step):
            yield from _members(distinct, *found, every=every)


def least_memory(rows: Rows) -> int:
    """Say how many bytes `near_pairs` takes at least, beyond rows that are in memory."""
    least = JoinSizes.least_memory(row_length(rows), rows.dtype.itemsize)
    return _ROW_BYTES * len(rows) + _FIXED_BYTES + least


def _in_memory(distinct: DistinctRows) -> DistinctRows:
    rows = distinct.read(0, len(distinct))
    return replace(distinct, rows=rows, places=np.arange(len(rows)))


def _copies(distinct: DistinctRows, every: bool) -> Iterator[Pairs]:
    sizes, members = distinct.sizes, distinct.members
    if not every:
        # The first and its n-th copy stand for all pairs of that copy with those before it.
        for number, nth in _counted(sizes - 1):
            begin = distinct.starts[number]
            yield Pairs(
                first=members[begin],
                second=members[begin + 1 + nth],
                cosine=np.ones(len(nth)),
                count=int((nth + 1).sum()),
            )
        return
    # After each row come those that equal it.
    after = np.repeat(distinct.starts[1:], sizes) - np.arange(len(members)) - 1
    for place, nth in _counted(after):
        yield Pairs.of(members[place], members[place + 1 + nth], np.ones(len(place)))


def _members(
    distinct: DistinctRows,
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    cosine: NDArray[np.float64],
    *,
    every: bool,
) -> Iterator[Pairs]:
    sizes, starts, members = distinct.sizes, distinct.starts, distinct.members
    pairs = sizes[first] * sizes[second]
    if not every:
        for start in range(0, len(first), _PAIRS):
            part = slice(start, start + _PAIRS)
            yield Pairs(
                first=members[starts[first[part]]],
                second=members[starts[second[part]]],
                cosine=cosine[part],
                count=int(pairs[part].sum()),
            )
        return
    for pair, nth in _counted(pairs):
        one, other = np.divmod(nth, sizes[second[pair]])
        here = members[starts[first[pair]] + one]
        there = members[starts[second[pair]] + other]
        yield Pairs.of(np.minimum(here, there), np.maximum(here, there), cosine[pair])


def _counted(counts: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Count from 0 to below each of some numbers, at most 65,536 at a time."""
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    for start in range(0, total, _PAIRS):
        nth = np.arange(start, min(start + _PAIRS, total))
        which = np.searchsorted(ends, nth, side="right")
        yield which, nth - (ends[which] - counts[which])

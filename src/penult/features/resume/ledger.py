"""What is known so far of each image of a run: where its row is, or why it has none."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from penult.features.failed import failures_of
from penult.records import AugmentedRecord, Failure, ImageRecord

__all__ = ["Ledger", "RowBlock", "RowSource", "failures_of", "rows_a_block"]

_TO_DO, _FAILED = -1, -2
_BLOCK_BYTES, _BLOCK_IMAGES = 1 << 23, 1024


class RowSource(Protocol):
    """A file that holds rows: a part of this run, or a feature file."""

    @property
    def content(self) -> NDArray[np.bytes_]:
        """(n,) hex digest of the image behind each row."""

    def take(self, indices: NDArray[np.intp]) -> list[NDArray[Any]]:
        """Read rows: one array (n, …) a recipe."""


@dataclass(frozen=True)
class RowBlock:
    """Consecutive rows of the file to be.

    Attributes
    ----------
    positions : (n,) of their images in the listing
    records, content : (n,) the images, and the digests of their bytes
    rows : one array (n, …) a recipe
    """

    positions: NDArray[np.intp]
    records: list[ImageRecord]
    content: list[str]
    rows: list[NDArray[Any]]

    def without(self, numbers: Collection[int]) -> RowBlock:
        """Leave some of the rows out."""
        kept = [k for k in range(len(self.records)) if k not in numbers]
        return RowBlock(
            self.positions[kept],
            [self.records[k] for k in kept],
            [self.content[k] for k in kept],
            [rows[kept] for rows in self.rows],
        )


def rows_a_block(row_bytes: int) -> int:
    """Say how many rows are read at a time, of so many bytes each in all sets together."""
    return max(1, min(_BLOCK_IMAGES, _BLOCK_BYTES // max(1, row_bytes)))


class Ledger:
    """One entry an image of the listing, eight bytes each however wide the rows are.

    Parameters
    ----------
    records : the listing
    augmented : whether some of them are augmented views, which have no rows of their own in the
        file, but beside those of their photos
    """

    def __init__(self, records: Sequence[ImageRecord], *, augmented: bool = False) -> None:
        self._records, self._augmented = records, augmented
        self._source = np.full(len(records), _TO_DO, np.int32)
        self._row = np.zeros(len(records), np.int32)
        self._reasons: dict[int, str] = {}
        self._sources: list[RowSource] = []

    def add_source(self, source: RowSource) -> int:
        """Make a source known; its number is what `settle` takes."""
        self._sources.append(source)
        return len(self._sources) - 1

    def settle(self, positions: Any, source: int, rows: Any) -> None:
        """Note that the rows of these images are those rows of that source."""
        self._source[positions] = source
        self._row[positions] = rows

    def fail(self, position: int, reason: str) -> None:
        """Note that this image has no row."""
        self._source[position] = _FAILED
        self._reasons[position] = reason

    def knows(self, positions: Any) -> bool:
        """Whether some of these images have a row or a reason already."""
        return bool((self._source[positions] != _TO_DO).any())

    def knows_all(self, positions: Any) -> bool:
        """Whether each of these images has a row or a reason."""
        return bool((self._source[positions] != _TO_DO).all())

    @property
    def to_do(self) -> NDArray[np.intp]:
        """The positions of which nothing is known yet."""
        return np.flatnonzero(self._source == _TO_DO)

    @property
    def done(self) -> int:
        """How many images have a row or a reason."""
        return int(np.count_nonzero(self._source != _TO_DO))

    @property
    def failures(self) -> list[Failure]:
        """The images without a row, in the order of the listing."""
        return failures_of((self._records[k], self._reasons[k]) for k in sorted(self._reasons))

    @cached_property
    def _is_view(self) -> NDArray[np.bool_] | Literal[False]:
        if not self._augmented:
            return False
        views = (isinstance(record, AugmentedRecord) for record in self._records)
        return np.fromiter(views, bool, len(self._records))

    @property
    def row_count(self) -> int:
        """How many photos have a row."""
        return len(self.with_row)

    @property
    def with_row(self) -> NDArray[np.intp]:
        """The positions of the photos that have a row."""
        return np.flatnonzero((self._source >= 0) & ~np.asarray(self._is_view))

    def ids(self) -> Iterator[str]:
        """The ids of the photos that have a row, in the order of the listing."""
        return (self._records[int(k)].id for k in self.with_row)

    def views(self) -> Iterator[tuple[int, AugmentedRecord]]:
        """Position and record of each augmented view that has a row, as its photo has."""
        failed = {self._records[k].id for k in self._reasons}
        for k in np.flatnonzero((self._source >= 0) & self._is_view):
            record = self._records[int(k)]
            if isinstance(record, AugmentedRecord) and record.photo.id not in failed:
                yield int(k), record

    def blocks(self) -> Iterator[RowBlock]:
        """Read all rows, in the order of the listing, a few megabytes at a time."""
        with_row = np.flatnonzero(self._source >= 0)
        start, size = 0, 1  # how wide a row is, the first one tells
        while start < len(with_row):
            block = self.read(with_row[start : start + size])
            yield block
            row_bytes = sum(rows.nbytes for rows in block.rows) // len(block.records)
            start += size
            size = rows_a_block(row_bytes)

    def read(self, positions: NDArray[np.intp]) -> RowBlock:
        """Read the rows of some images that have one."""
        sources, indices = self._source[positions], self._row[positions].astype(np.intp)
        content = np.empty(len(positions), dtype=object)
        rows: list[NDArray[Any]] = []
        for number in np.unique(sources):
            source, where = self._sources[number], np.flatnonzero(sources == number)
            taken = source.take(indices[where])
            content[where] = source.content[indices[where]]
            if not rows:
                rows = [np.empty((len(positions), *a.shape[1:]), a.dtype) for a in taken]
            for into, block in zip(rows, taken, strict=True):
                into[where] = block
        return RowBlock(
            positions,
            [self._records[int(k)] for k in positions],
            [c.decode() for c in content],
            rows,
        )

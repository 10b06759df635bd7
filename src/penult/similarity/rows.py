"""Two sets of rows of the same images, read in blocks; those of CKA less their mean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from penult.errors import UsageError
from penult.neighbors.blocks import read_at, row_length
from penult.representation import short_text
from penult.wording import listed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records import Rows

__all__ = ["MEMORY", "CenteredRows", "Readable", "RowBlocks", "draw_pair", "spans"]

# Bytes that blocks, tiles and panels may take together. Not what happens to be free: how sums are
# split decides their last digits, and another run has to give the same ones.
MEMORY = 256 << 20
_BLOCK_BYTES = 16 << 20

# How many times a mean may be what the rows vary by: float64 leaves 13 digits of that.
_LARGE = 1e3
# Beyond, and below the inverse, the fourth power, which CKA sums, would overflow or vanish.
_HUGE = 1e50


class Readable(Protocol):
    """Rows that can be read by their places, however they are changed on the way."""

    @property
    def width(self) -> int:
        """How many numbers a row has."""

    def __len__(self) -> int: ...
    def read(self, start: int, stop: int, /) -> NDArray[np.float64]:
        """Read rows: float64, shape (stop - start, D), the caller's own."""


def spans(rows: int, step: int, start: int = 0) -> Iterator[tuple[int, int]]:
    """Cut places into spans of `step` each, the last shorter."""
    for first in range(start, rows, max(1, step)):
        yield first, min(first + max(1, step), rows)


class RowBlocks:
    """Rows that are read a block at a time, as float64, flattened.

    Parameters
    ----------
    rows : array or h5py dataset, shape (N, …)
    name : str
        What messages call them.
    places : int array, shape (n,), optional
        Which rows, in which order; all in theirs by default.
    ids : sequence of str, length n, optional
        Of the rows at `places`.
    """

    def __init__(
        self,
        rows: Rows,
        name: str,
        places: NDArray[np.intp] | None = None,
        ids: Sequence[str] | None = None,
    ) -> None:
        self.rows, self.name, self.places, self.ids = rows, name, places, ids
        self.width = row_length(rows)

    def __len__(self) -> int:
        return len(self.rows) if self.places is None else len(self.places)

    def as_stored(self, start: int, stop: int) -> NDArray[Any]:
        """Read rows as they are, unchecked: of any dtype, perhaps a view."""
        if self.places is None:
            rows = self.rows[start:stop]
        elif isinstance(self.rows, np.ndarray):
            rows = self.rows[self.places[start:stop]]
        else:
            rows = read_at(self.rows, self.places[start:stop])
        return rows.reshape(stop - start, self.width)

    def read(self, start: int, stop: int) -> NDArray[np.float64]:
        """Read rows.

        Raises
        ------
        UsageError
            If some hold a NaN or an infinity.
        """
        block = np.array(self.as_stored(start, stop), np.float64)
        finite = np.isfinite(block).all(axis=1)
        if not finite.all():
            bad = (start + np.flatnonzero(~finite)).tolist()
            where = (
                f"in row{'s' * (len(bad) > 1)} {listed(map(str, bad), 3)}, counted from 0"
                if self.ids is None
                else f"in the rows of {listed([short_text(self.ids[k]) for k in bad], 3)}"
            )
            raise UsageError(
                f"{self.name} has NaN or infinite numbers {where}; leave these images out of both, "
                "or make their rows again"
            )
        return block

    def take(self, places: NDArray[np.intp]) -> RowBlocks:
        """Take some of the rows, in this order."""
        ids = None if self.ids is None else [self.ids[k] for k in places]
        return RowBlocks(
            self.rows, self.name, places if self.places is None else self.places[places], ids
        )


def draw_pair(a: RowBlocks, b: RowBlocks, most: int, seed: int) -> tuple[RowBlocks, RowBlocks]:
    """Draw the same rows of two, so that what is held of all their pairs fits into memory.

    They are ordered by their ids, where they have some, and drawn from that order: neither their
    order in a file nor which file is the first decides which are drawn.

    Parameters
    ----------
    a, b : RowBlocks
        Of n images each, matched.
    most : int
        How many to draw; all, where there are no more.
    seed : int
        Of the draw.
    """
    n = len(a)
    order = np.arange(n) if a.ids is None else np.array(sorted(range(n), key=a.ids.__getitem__))
    if n > most:
        order = order[np.sort(np.random.default_rng(seed).choice(n, most, replace=False))]
    return a.take(order), b.take(order)


class CenteredRows:
    """Rows less their mean; where their numbers are huge or tiny, divided by the largest.

    They are read twice to begin with: for their mean, and for their lengths. The first row is
    subtracted before any sum, so that numbers that are large beside how they vary lose no digits,
    and rows that are all the same become exactly 0. CKA does not see by what all are divided.

    Parameters
    ----------
    rows : RowBlocks
    block_bytes : int, default=16 MiB
        Of float64 to read at a time.

    Attributes
    ----------
    squares : float64 array, shape (n,)
        The squared lengths of the rows.

    Raises
    ------
    UsageError
        If rows hold what is not finite, or numbers so large that they cannot be subtracted.
    """

    def __init__(self, rows: RowBlocks, *, block_bytes: int = _BLOCK_BYTES) -> None:
        self._rows, n, step = rows, len(rows), block_bytes // (8 * rows.width)
        first, total, largest = rows.read(0, 1)[0], np.zeros(rows.width), 0.0
        for start, stop in spans(n, step):
            with np.errstate(over="ignore", invalid="ignore"):
                block = rows.read(start, stop)
                block -= first
                total += block.sum(axis=0)
                largest = max(largest, float(block.max()), float(-block.min()))
        if not (np.isfinite(largest) and np.isfinite(total).all()):
            raise UsageError(
                f"{rows.name} has numbers too large to be subtracted; divide all of them by one"
            )
        # The mean alone, unless it is so large that its own digits would be missing.
        self._steps = [first + total / n]
        if np.abs(first).max() > _LARGE * largest:
            self._steps = [first, total / n]
        self._scale = 1.0 if largest == 0 or 1 / _HUGE < largest < _HUGE else largest
        self.squares = np.empty(n)
        for start, stop in spans(n, step):
            block = self.read(start, stop)
            self.squares[start:stop] = np.einsum("ij,ij->i", block, block)

    @property
    def width(self) -> int:
        """How many numbers a row has."""
        return self._rows.width

    def __len__(self) -> int:
        return len(self._rows)

    def read(self, start: int, stop: int) -> NDArray[np.float64]:
        """Read rows."""
        first, *more = self._steps
        stored = self._rows.as_stored(start, stop)
        block: NDArray[np.float64] = np.subtract(stored, first, dtype=np.float64)
        for step in more:
            block -= step
        if self._scale != 1:
            block /= self._scale
        return block

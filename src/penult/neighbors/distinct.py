"""Rows without their copies: of those that are equal, byte for byte, the first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.neighbors.blocks import row_length
from penult.neighbors.searchable import require_finite

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records import Rows

__all__ = ["DistinctRows"]

_DIGEST = 16  # bytes; two different rows share one with a chance of 1 in 10^38
_BLOCK_BYTES = 4 << 20


@dataclass(frozen=True, kw_only=True)
class DistinctRows:
    """Rows without their copies, and without rows of zeros; each has a number, 0 to M - 1.

    Attributes
    ----------
    rows : array or h5py dataset, shape (N, …)
        All rows.
    places : int64 array, shape (M,)
        The first row of each number, ascending.
    lengths : float64 array, shape (M,)
        Their Euclidean lengths, all above 0.
    members : int64 array, shape (n,)
        All rows but those of zeros: by their number, then by place.
    starts : int64 array, shape (M + 1,)
        Where the rows of each number begin among the members.
    """

    rows: Rows
    places: NDArray[np.int64]
    lengths: NDArray[np.float64]
    members: NDArray[np.int64]
    starts: NDArray[np.int64]

    @classmethod
    def of(cls, rows: Rows, ids: Sequence[str] | None = None) -> DistinctRows:
        """Read all rows once, a block at a time.

        Raises
        ------
        SearchError
            If a row holds a NaN or an infinity; names the ids, or the places without them.
        """
        total = len(rows)
        digests = np.zeros(total, f"V{_DIGEST}")
        lengths = np.zeros(total)
        for part, block in _blocks(rows):
            numbers = block.astype(np.float64)
            lengths[part] = np.sqrt(np.multiply(numbers, numbers, out=numbers).sum(axis=1))
            digests[part] = [blake2b(row, digest_size=_DIGEST).digest() for row in block]
        require_finite(lengths, ids)
        alike = np.flatnonzero(lengths > 0)
        _, first, number, sizes = np.unique(
            digests[alike], return_index=True, return_inverse=True, return_counts=True
        )
        # np.unique numbers them by their digests; here by the first row of each.
        order = np.argsort(first)
        renumbered = np.empty_like(order)
        renumbered[order] = np.arange(len(order))
        places = alike[first[order]]
        return cls(
            rows=rows,
            places=places,
            lengths=lengths[places],
            members=alike[np.argsort(renumbered[number], kind="stable")],
            starts=np.concatenate([[0], np.cumsum(sizes[order])]).astype(np.int64),
        )

    def __len__(self) -> int:
        """The number of distinct rows."""
        return len(self.places)

    @property
    def width(self) -> int:
        """How many numbers a row has, flattened."""
        return row_length(self.rows)

    @property
    def sizes(self) -> NDArray[np.int64]:
        """How many rows are equal to each, itself included."""
        return np.diff(self.starts)

    def read(self, start: int, stop: int) -> NDArray[Any]:
        """Read some of them, flattened, in the type in which they are stored.

        Parameters
        ----------
        start, stop : int
            From the first number to before the last.

        Returns
        -------
        array, shape (stop - start, D)
            Not to be written to: it may be a view.
        """
        places = self.places[start:stop]
        if not len(places):
            return np.empty((0, self.width), self.rows.dtype)
        begin, end = int(places[0]), int(places[-1]) + 1
        if end - begin == len(places):
            return np.asarray(self.rows[begin:end]).reshape(len(places), -1)
        if isinstance(self.rows, np.ndarray):
            return self.rows[places].reshape(len(places), -1)
        result = np.empty((len(places), self.width), self.rows.dtype)
        # Single rows are read from HDF5 slower, by orders of magnitude, than all that lie between.
        step = _rows_at_once(self.rows)
        for low in range(begin, end, step):
            first, last = np.searchsorted(places, (low, low + step))
            if first < last:
                block = self.rows[low : int(places[last - 1]) + 1]
                result[first:last] = block[places[first:last] - low].reshape(last - first, -1)
        return result


def _rows_at_once(rows: Rows) -> int:
    return max(1, _BLOCK_BYTES // max(1, 8 * row_length(rows)))  # in float64


def _blocks(rows: Rows) -> Iterator[tuple[slice, NDArray[Any]]]:
    step = _rows_at_once(rows)
    for start in range(0, len(rows), step):
        part = slice(start, min(start + step, len(rows)))
        block = np.asarray(rows[part])
        yield part, np.ascontiguousarray(block.reshape(len(block), -1))

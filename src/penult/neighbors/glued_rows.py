"""Some rows of here and some of there, read where they are when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.neighbors.blocks import row_length

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records import Rows

__all__ = ["GluedRows", "Piece", "row_blocks"]

BLOCK_BYTES = 16 << 20


@dataclass(frozen=True, eq=False)
class Piece:
    """Rows, all of them or those at some places.

    Attributes
    ----------
    rows : array or h5py dataset, shape (n, …)
    places : int64 array, shape (m,), or None
        Ascending.
    """

    rows: Rows
    places: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.rows) if self.places is None else len(self.places)

    def read(self, wanted: NDArray[np.int64]) -> NDArray[Any]:
        """Read rows, given by their numbers in the piece, in any order."""
        places = wanted if self.places is None else self.places[wanted]
        if isinstance(self.rows, np.ndarray):
            return self.rows[places]
        if not len(places):
            return self.rows[:0]
        unique, order = np.unique(places, return_inverse=True)  # as h5py wants them
        first, last = int(unique[0]), int(unique[-1]) + 1
        if last - first <= 4 * len(unique):  # to pick rows out of chunks one by one is slow
            return self.rows[first:last][unique - first][order]
        return self.rows[unique][order]


class GluedRows:
    """Pieces one after the other, as one set of rows.

    Parameters
    ----------
    pieces : one or more, of rows of one shape
    """

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self._pieces = tuple(pieces)
        self._ends = np.cumsum([len(piece) for piece in pieces])
        self.dtype: np.dtype[Any] = np.result_type(*(piece.rows.dtype for piece in pieces))

    @property
    def shape(self) -> tuple[int, ...]:
        """As of an array."""
        return (len(self), *self._pieces[0].rows.shape[1:])

    def __len__(self) -> int:
        return int(self._ends[-1])

    def __getitem__(self, rows: Any) -> NDArray[Any]:
        if isinstance(rows, slice):  # of a few rows among millions
            wanted = np.arange(*rows.indices(len(self)))
        else:
            wanted = np.arange(len(self))[rows]
        if wanted.ndim == 0:
            return np.asarray(self[wanted[None]][0])
        found = np.empty((len(wanted), *self.shape[1:]), self.dtype)
        of = np.searchsorted(self._ends, wanted, side="right")
        for number, (piece, end) in enumerate(zip(self._pieces, self._ends, strict=True)):
            here = np.flatnonzero(of == number)
            if len(here):
                found[here] = piece.read(wanted[here] - (end - len(piece)))
        return found

    def __array__(self, *args: Any, **kwargs: Any) -> NDArray[Any]:
        return np.asarray(self[:], *args, **kwargs)


def row_blocks(rows: Rows, *, start: int = 0) -> Iterator[NDArray[Any]]:
    """Read rows a block at a time, in order, from one on.

    Yields
    ------
    float32 or float16 array, shape (m, …)
    """
    step = max(1, BLOCK_BYTES // max(1, 4 * row_length(rows)))
    for first in range(start, len(rows), step):
        yield np.asarray(rows[first : first + step])

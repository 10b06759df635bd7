"""Rows a block at a time, whether they lie in memory or on disk."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.machine import cores
from penult.neighbors.half import widen

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records import Rows

__all__ = ["BLOCK_BYTES", "Widener", "as_block", "blocks", "in_memory", "read_at", "row_length"]

# Bytes read from disk at a time: large beside what is kept of the queries, small in memory.
BLOCK_BYTES = 64 << 20

# Rows that are wanted and fewer than this apart are read at once; so a block is read as no more
# than four.
_GAP = 4

# Rows of half precision made float32 by one thread at a time, at least.
_LEAST = 128


def row_length(rows: Rows) -> int:
    """How many numbers a row has; rows of more dimensions are flattened."""
    return prod(rows.shape[1:])


def in_memory(rows: Rows) -> NDArray[Any] | None:
    """The rows as one matrix without copying them, or None where that cannot be.

    Parameters
    ----------
    rows : array or h5py dataset, shape (N, D) or (N, …)

    Returns
    -------
    float32 or float16 array, shape (N, D), or None
        A view of an array or memory map, of these types and contiguous.
    """
    usable = (
        isinstance(rows, np.ndarray)
        and rows.dtype in (np.float32, np.float16)
        and rows.dtype.isnative
        and rows.flags.c_contiguous
    )
    return np.asarray(rows).reshape(len(rows), row_length(rows)) if usable else None


def as_block(rows: Any) -> NDArray[Any]:
    """Rows that were read, as a contiguous float16 or float32 matrix, shape (m, D)."""
    rows = np.asarray(rows)
    dtype = np.float16 if rows.dtype == np.float16 else np.float32
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(rows, dtype).reshape(len(rows), row_length(rows))


def blocks(rows: Rows) -> Iterator[tuple[int, NDArray[Any]]]:
    """Go through rows in order, `BLOCK_BYTES` at a time of those that have to be read or copied.

    Rows that can be used where they lie are one block.

    Parameters
    ----------
    rows : array or h5py dataset, shape (N, D) or (N, …)

    Yields
    ------
    start : int
        The place of the block's first row.
    block : float16 or float32 array, shape (m, D)
        Contiguous.
    """
    if (matrix := in_memory(rows)) is not None:
        yield 0, matrix
        return
    step = max(1, BLOCK_BYTES // (4 * max(1, row_length(rows))))
    for start in range(0, len(rows), step):
        yield start, as_block(rows[start : start + step])


def read_at(rows: Rows, places: NDArray[np.intp]) -> NDArray[np.float32]:
    """Read the rows at some places, in that order.

    Parameters
    ----------
    rows : array or h5py dataset, shape (N, …)
    places : int array, shape (n,)
        In any order, each once.

    Returns
    -------
    float32 array, shape (n, …)
    """
    result = np.empty((len(places), *rows.shape[1:]), np.float32)
    order = np.argsort(places, kind="stable")
    ascending = places[order]
    # Near ones are read together with what is between them: to pick single rows out of a file is
    # slower by orders of magnitude.
    starts = np.flatnonzero(np.diff(ascending, prepend=-_GAP - 1) > _GAP)
    for start, stop in zip(starts, np.append(starts, len(places))[1:], strict=True):
        run = ascending[start:stop]
        result[order[start:stop]] = rows[run[0] : run[-1] + 1][run - run[0]]
    return result


class Widener:
    """Makes parts of a block float32: those of float32 are views, others fill one buffer.

    Parameters
    ----------
    most : int
        Of how many rows a part is, at most.
    width : int
        How many numbers a row has.
    """

    def __init__(self, most: int, width: int) -> None:
        self._shape = (most, width)
        self._buffer: NDArray[np.float32] | None = None
        self._threads: ThreadPoolExecutor | None = None

    def __enter__(self) -> Widener:
        return self

    def __exit__(self, *error: object) -> None:
        if self._threads is not None:
            self._threads.shutdown()

    def __call__(self, part: NDArray[Any]) -> NDArray[np.float32]:
        """The part as float32, valid until the next call."""
        if part.dtype == np.float32:
            return part
        if self._buffer is None:
            self._buffer = np.empty(self._shape, np.float32)
        out = self._buffer[: len(part)]
        pieces = min(cores(), len(part) // _LEAST)
        if pieces < 2:
            return widen(part, out)
        if self._threads is None:
            self._threads = ThreadPoolExecutor(cores(), "widen")
        both = zip(np.array_split(part, pieces), np.array_split(out, pieces), strict=True)
        list(self._threads.map(lambda pair: widen(*pair), both))
        return out

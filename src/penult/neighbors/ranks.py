"""The order of rows that are equally near to a query."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from penult.neighbors.blocks import BLOCK_BYTES, row_length

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from penult.records import Rows

__all__ = ["ranks_of"]

_DIGITS = 15  # of a hex digest; an int64 holds no more


def ranks_of(rows: Rows, content: Sequence[str] | None) -> NDArray[np.int64]:
    """Rank rows by the digests of their images, which renaming files does not change.

    Parameters
    ----------
    rows : array or h5py dataset, shape (N, …)
    content : sequence of str, length N, or None
        Hex digest of each image's bytes. Rows whose image has none are ranked by a hash of
        themselves.

    Returns
    -------
    int64 array, shape (N,)
        Not negative; those of equal images are equal.
    """
    ranks = np.full(len(rows), -1, np.int64)
    for place, digest in enumerate(content or ()):
        try:
            ranks[place] = int(str(digest)[:_DIGITS], 16)
        except ValueError:  # there is none, or something of a program's own
            continue
    if (ranks < 0).any():
        ranks = np.where(ranks < 0, _hashes(rows), ranks)
    return ranks


def _hashes(rows: Rows) -> NDArray[np.int64]:
    """Multiply the bits of each row's numbers by random odd ones, and add them up."""
    width = row_length(rows)
    factors = np.random.default_rng(0).integers(1 << 62, size=width, dtype=np.uint64) * 2 + 1
    hashes = np.empty(len(rows), np.uint64)
    start = 0
    step = max(1, BLOCK_BYTES // max(1, 4 * width))
    for first in range(0, len(rows), step):
        block = np.asarray(rows[first : first + step])
        flat = np.ascontiguousarray(block).reshape(len(block), width)
        bits = flat.view(np.uint16 if flat.dtype.itemsize == 2 else np.uint32)
        hashes[start : start + len(flat)] = bits.astype(np.uint64) @ factors
        start += len(flat)
    return (hashes >> np.uint64(4)).astype(np.int64)

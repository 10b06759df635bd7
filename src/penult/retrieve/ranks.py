"""The order of rows that are equally near to a query."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from penult.neighbors.blocks import row_length
from penult.retrieve.glued_rows import row_blocks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records import Features, Rows

__all__ = ["ranks_of"]

_DIGITS = 15  # of a hex digest; an int64 holds no more


def ranks_of(rows: Rows, features: Features | None) -> NDArray[np.int64]:
    """Rank rows by the digests of their images, which renaming files does not change.

    Parameters
    ----------
    rows : array or h5py dataset, shape (N, …)
    features : Features or None
        What is known of them. Rows whose image has no digest are ranked by a hash of themselves.

    Returns
    -------
    int64 array, shape (N,)
        Not negative; those of equal images are equal.
    """
    content = None if features is None else features.content
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
    for block in row_blocks(rows):
        flat = np.ascontiguousarray(block).reshape(len(block), width)
        bits = flat.view(np.uint16 if flat.dtype.itemsize == 2 else np.uint32)
        hashes[start : start + len(flat)] = bits.astype(np.uint64) @ factors
        start += len(flat)
    return (hashes >> np.uint64(4)).astype(np.int64)

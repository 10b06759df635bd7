"""Inner products of rows with each other, a tile at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from penult.similarity.rows import MEMORY, Readable, spans

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["gram", "gram_tiles"]


def gram_tiles(
    sources: Sequence[Readable], memory: int = MEMORY
) -> Iterator[tuple[slice, slice, list[NDArray[np.float64]]]]:
    """Go through the upper halves of the Gram matrices of several sets of rows, together.

    Parameters
    ----------
    sources : sequence of Readable
        Each of n rows.
    memory : int
        Bytes for what is held at a time. A block of rows stays, and all that come after it pass
        by; the larger it is, the fewer times each row is read.

    Yields
    ------
    rows, columns : slice
        A tile's, which begin nowhere later than its columns do. Tiles hold each pair i < j once;
        they may hold pairs i ≥ j too, which do not count.
    products : list of float64 array, shape (rows, columns)
        For each source, the inner products of these rows.
    """
    n, row_bytes = len(sources[0]), 8 * sum(source.width for source in sources)
    outer = max(1, min(n, memory // 2 // row_bytes))
    inner = max(1, min(n, memory // 4 // (row_bytes + 24 * len(sources) * outer)))
    for first, last in spans(n, outer):
        yield from _beside(sources, first, last, inner)


def _beside(
    sources: Sequence[Readable], first: int, last: int, step: int
) -> Iterator[tuple[slice, slice, list[NDArray[np.float64]]]]:
    """Go through the tiles of a block of rows, which is let go of when they end."""
    held = [source.read(first, last) for source in sources]
    for start, stop in spans(len(sources[0]), step, first):
        # What is held need not be read again; rows after the last column add no pair.
        inside, tall = slice(start - first, stop - first), min(stop, last) - first
        products = [
            block[:tall] @ (block[inside] if stop <= last else source.read(start, stop)).T
            for block, source in zip(held, sources, strict=True)
        ]
        yield slice(first, first + tall), slice(start, stop), products


def gram(source: Readable, memory: int = MEMORY) -> NDArray[np.float64]:
    """Make the whole Gram matrix of rows few enough for it: float64, shape (n, n), symmetric."""
    n = len(source)
    full = np.zeros((n, n))
    for rows, columns, (products,) in gram_tiles([source], memory):
        full[rows, columns] = products
    upper = np.triu(full)
    return upper + np.triu(upper, 1).T

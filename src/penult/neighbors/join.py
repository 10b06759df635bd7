"""All pairs of distinct rows that are near, a tile of their products at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.neighbors.pair_values import pair_cosines
from penult.neighbors.rounding import unit_product_error

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.neighbors.distinct import DistinctRows

__all__ = ["JoinSizes", "candidate_limit", "near_numbers"]

Found = tuple["NDArray[np.int64]", "NDArray[np.int64]", "NDArray[np.float64]"]

_BLOCK, _LEAST_BLOCK = 2048, 128
_BLOCKS_OF_STRIP = 8
_TILE_BYTES = 5
"""Of a product of a tile: itself, and whether it is near."""

_CANDIDATES = 1 << 16
"""Pairs that are verified at once, at most."""

_PAIR_BYTES = 100
"""Of a pair that is held until its strip is done, and of what puts it in order."""


@dataclass(frozen=True, kw_only=True)
class JoinSizes:
    """How much is done at a time; the result is the same whatever the sizes.

    Attributes
    ----------
    block : int
        Rows and columns of a tile of products.
    strip : int
        Rows that are compared with all others at a time, at most.
    pairs : int
        Pairs of a strip that are held at most; those of a single row always are.
    """

    block: int = _BLOCK
    strip: int = _BLOCK * _BLOCKS_OF_STRIP
    pairs: int = 1 << 20

    @classmethod
    def within(cls, memory: int, width: int, itemsize: int, *, read: bool) -> JoinSizes:
        """Choose them so that all that is held fits into some bytes.

        Parameters
        ----------
        memory : int
            Bytes; where it is less than `least_memory`, more is taken.
        width, itemsize : int
            Numbers of a row, and bytes of one as it is stored.
        read : bool
            Whether rows are read from a file: then a strip is as large as may be, since all that
            come after it are read for each.
        """
        row, unit = width * itemsize, 4 * width
        block = _BLOCK
        while block > _LEAST_BLOCK and _panel_bytes(block, row, unit) > memory // 2:
            block //= 2
        strip = max(1, memory // 4 // (unit + row) // block)
        if not read:
            strip = min(strip, _BLOCKS_OF_STRIP)
        return cls(
            block=block,
            strip=strip * block,
            pairs=max(1, memory // 8 // _PAIR_BYTES),
        )

    @staticmethod
    def least_memory(width: int, itemsize: int) -> int:
        """Say how many bytes it takes at least."""
        return 2 * _panel_bytes(_LEAST_BLOCK, width * itemsize, 4 * width)


def _panel_bytes(block: int, row: int, unit: int) -> int:
    # The rows of a panel once more where copies among them are left out.
    return _TILE_BYTES * block**2 + block * (2 * row + unit)


def near_numbers(
    rows: DistinctRows,
    threshold: float,
    sizes: JoinSizes,
    step: Callable[[float], None],
) -> Iterator[Found]:
    """Find all pairs of distinct rows of at least that cosine, in the order of their numbers.

    A strip of rows is compared with all that come after its first, a panel of rows at a time. The
    pairs of a strip are held until it is done, so that they can be put in order. Where they
    become too many, the strip is cut to its first half; what was cut off is done again after it.

    Parameters
    ----------
    rows : DistinctRows
    threshold : float
        Least cosine.
    sizes : JoinSizes
    step : callable
        Called with the part of the products that are done, 0 to 1.

    Yields
    ------
    first, second : int64 arrays, shape (P,)
        Numbers of distinct rows, the first less than the second; in lexicographic order.
    cosine : float64 array, shape (P,)
    """
    total = len(rows)
    limit = candidate_limit(threshold, rows.width)
    block, strip = sizes.block, sizes.strip
    tile = np.empty(min(block, strip, total) * min(block, total), np.float32)
    mask = np.empty(tile.shape, bool)
    left = np.empty((min(strip, total), rows.width), np.float32)
    right = np.empty((min(block, total), rows.width), np.float32)
    start, height, done = 0, strip, 0.0
    while start < total - 1:
        found = _Strip(start, min(start + height, total), sizes.pairs)
        stop = found.end
        stored = rows.read(start, stop)
        lengths = rows.lengths[start:stop]
        units = _units(stored, lengths, left)
        for low in range(start, total, block):
            high = min(low + block, total)
            panel = stored[low - start : high - start] if high <= stop else rows.read(low, high)
            columns = _units(panel, rows.lengths[low:high], right).T
            for top in range(start, min(found.end, high - 1), block):
                bottom = min(top + block, found.end)
                if top >= bottom:  # it was cut meanwhile
                    break
                some = units[top - start : bottom - start]
                for first, second in _candidates(some, columns, limit, tile, mask):
                    first, second = found.make_room(first + top, second + low)
                    near = pair_cosines(
                        (stored, lengths),
                        (panel, rows.lengths[low:high]),
                        first - start,
                        second - low,
                    )
                    good = near >= threshold
                    found.add(first[good], second[good], near[good])
            wide, tall = high - start, min(found.end, high) - start
            area = start * (total - start / 2) + tall * (wide - tall / 2)
            done = max(done, area / (total * total / 2))
            step(done)
        if found.pairs:
            yield found.in_order()
        height = found.end - start
        if found.pairs < sizes.pairs // 4:
            height = min(strip, 2 * height)
        start = found.end
    step(1.0)  # also where the last row was cut off, which has none after it


class _Strip:
    """The pairs of some rows with all after them; of fewer rows where they become too many."""

    def __init__(self, start: int, end: int, most: int) -> None:
        self.start, self.end, self.most = start, end, most
        self.pairs = 0
        self._parts: list[Found] = []

    def make_room(
        self, first: NDArray[np.int64], second: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Choose those of some pairs that belong to it, after it was cut until they fit in.

        Parameters
        ----------
        first, second : int64 arrays, shape (P,)
            Those whose second is not above the first are left out as well.
        """
        above = first < second
        while True:
            above &= first < self.end
            if self.pairs + int(above.sum()) <= self.most or self.end - self.start == 1:
                return first[above], second[above]
            self.end = self.start + (self.end - self.start) // 2
            parts, self._parts, self.pairs = self._parts, [], 0
            for one, other, near in parts:
                kept = one < self.end
                self.add(one[kept], other[kept], near[kept])

    def add(
        self, first: NDArray[np.int64], second: NDArray[np.int64], near: NDArray[np.float64]
    ) -> None:
        if len(first):
            self._parts.append((first, second, near))
            self.pairs += len(first)

    def in_order(self) -> Found:
        first, second, near = (np.concatenate(part) for part in zip(*self._parts, strict=True))
        order = np.argsort(first, kind="stable")  # of each first row, the panels came in order
        return first[order], second[order], near[order]


def candidate_limit(threshold: float, width: int) -> np.float32:
    """Lower a threshold so far that rounding cannot hide a pair from it, see `rounding`.

    Parameters
    ----------
    threshold : float
        Least cosine as `pair_cosines` gives it.
    width : int
        D, the numbers of a row.

    Returns
    -------
    float32
        Products below it need not be looked at.
    """
    # One below the nearest float32 is below the number itself.
    limit = np.float32(threshold - unit_product_error(width))
    return np.float32(np.nextafter(limit, np.float32(-np.inf)))


def _units(
    rows: NDArray[Any], lengths: NDArray[np.float64], out: NDArray[np.float32]
) -> NDArray[np.float32]:
    # In float64 and rounded once: in float32 a length may overflow, or vanish.
    scale = (1 / lengths)[:, None]
    units = out[: len(rows)]
    np.multiply(rows, scale, out=units, casting="same_kind")
    return units


def _candidates(
    rows: NDArray[np.float32],
    columns: NDArray[np.float32],
    limit: np.float32,
    tile: NDArray[np.float32],
    mask: NDArray[np.bool_],
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Find the products of a tile that reach the limit; a part of the tile at a time if many do."""
    shape = len(rows), columns.shape[1]
    size = shape[0] * shape[1]
    products = np.matmul(rows, columns, out=tile[:size].reshape(shape))
    near = np.greater_equal(products.reshape(-1), limit, out=mask[:size])
    found = int(np.count_nonzero(near))
    step = size if found <= _CANDIDATES else _CANDIDATES
    for start in range(0, size if found else 0, step):
        places = np.flatnonzero(near[start : start + step])
        if len(places):
            yield np.divmod(places + start, shape[1])

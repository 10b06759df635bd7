"""Rows of a block, and what is known of them before they are compared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MeasuredBlock"]


@dataclass(frozen=True, kw_only=True)
class MeasuredBlock:
    """Rows of a block, and what is known of them before they are compared.

    Attributes
    ----------
    start : int
        The place of the first.
    rows : float32 or float16 array, shape (m, D)
    lengths : float64 array, shape (m,)
        Of the rows, within `rounding.length_error`.
    may : bool array, shape (m,), or None
        Which may be found; None for all.
    """

    start: int
    rows: NDArray[Any]
    lengths: NDArray[np.float64]
    may: NDArray[np.bool_] | None

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def sparse(self) -> bool:
        """Whether so few may be found that only those are looked at, which copies them."""
        return self.may is not None and 2 * int(self.may.sum()) < len(self.may)

    def parts(self, first: int, most: int) -> Iterator[NDArray[np.int64] | slice]:
        """Which rows to compare at a time: at first few, then twice as many, up to most.

        Parameters
        ----------
        first : int
            How many at first.
        most : int
            How many at a time.

        Yields
        ------
        slice or int64 array
            Of the rows; numbers of those that may be found where these are sparse.
        """
        numbers = None if self.may is None or not self.sparse else np.flatnonzero(self.may)
        end = len(self) if numbers is None else len(numbers)
        start, size = 0, min(first, most)
        while start < end:
            part = slice(start, min(start + size, end))
            yield part if numbers is None else numbers[part]
            start, size = part.stop, min(2 * size, most)

"""Each number of a row, and the length of each row, in one pass over the rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from penult.records import DimensionStatistics, NormStatistics

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Moments"]

_EXTREMES = 5  # rows named at either end


class Moments:
    """What is added up while rows are read.

    Parameters
    ----------
    rows : int
        How many there will be, N.
    width : int
        Numbers of a row, D.
    """

    def __init__(self, rows: int, width: int) -> None:
        self._lengths = np.empty(rows)
        self._count = 0
        self._shift, self._total, self._squares = np.zeros((3, width))
        self._min, self._max = np.full(width, np.inf), np.full(width, -np.inf)
        self._zeros = np.zeros(width, np.int64)

    def add(self, block: NDArray[np.float32]) -> None:
        """Add the next rows, shape (m, D)."""
        numbers = block.astype(np.float64)
        part = slice(self._count, self._count + len(block))
        self._lengths[part] = np.sqrt(np.einsum("ij,ij->i", numbers, numbers))
        # Numbers far from zero would lose their variance in the digits of their squares.
        if not self._count:
            self._shift = numbers.mean(axis=0)
        numbers -= self._shift
        self._total += numbers.sum(axis=0)
        self._squares += np.einsum("ij,ij->j", numbers, numbers)
        np.minimum(self._min, block.min(axis=0), out=self._min)
        np.maximum(self._max, block.max(axis=0), out=self._max)
        self._zeros += len(block) - np.count_nonzero(block, axis=0)
        self._count = part.stop

    def dimensions(self) -> DimensionStatistics:
        """Return what the numbers are like, of the rows that were added."""
        offset = self._total / self._count
        variance = (self._squares / self._count - offset**2).clip(min=0)
        return DimensionStatistics(
            mean=self._shift + offset,
            std=np.sqrt(variance),
            min=self._min,
            max=self._max,
            zeros=self._zeros / self._count,
        )

    def norms(self, ids: Sequence[str]) -> NormStatistics:
        """Return how long the rows are.

        Parameters
        ----------
        ids : sequence of str, length N
        """
        order = np.argsort(self._lengths, kind="stable")

        def named(places: NDArray[np.intp]) -> tuple[tuple[str, float], ...]:
            return tuple((str(ids[k]), float(self._lengths[k])) for k in places.tolist())

        return NormStatistics(
            values=self._lengths,
            shortest=named(order[:_EXTREMES]),
            longest=named(order[::-1][:_EXTREMES]),
        )

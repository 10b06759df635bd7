"""Pairs that are kept of a stream: the most similar ones, or those nearest to some cosines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from penult.neighbors.pairs import Pairs

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MostSimilar", "NearestTo"]


class _Kept:
    """The first so many pairs by some key, then by place; the order of the blocks does not count.

    Parameters
    ----------
    most : int
        How many are kept.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.total = 0
        self._blocks: list[Pairs] = []
        self._held = 0

    def _key(self, cosine: NDArray[np.float64]) -> NDArray[np.float64]:
        raise NotImplementedError

    def add(self, pairs: Pairs, which: NDArray[np.bool_]) -> None:
        """Take some of these pairs into account."""
        found = int(which.sum())
        if not found:
            return
        self.total += found
        self._held += found
        self._blocks.append(pairs.at(which))
        if self._held > 2 * self.most:
            self._settle()

    def pairs(self) -> Pairs:
        """Those that are kept, in order."""
        self._settle()
        return self._blocks[0]

    def _settle(self) -> None:
        every = Pairs.joined(self._blocks)
        order = np.lexsort((every.second, every.first, self._key(every.cosine)))[: self.most]
        self._blocks = [every.at(order)]
        self._held = len(order)


class MostSimilar(_Kept):
    """Of a stream of pairs the most similar ones, the most similar first."""

    def _key(self, cosine: NDArray[np.float64]) -> NDArray[np.float64]:
        return -cosine


class NearestTo(_Kept):
    """Of a stream of pairs those whose cosine comes nearest to a value, the nearest first.

    Parameters
    ----------
    most : int
        How many are kept.
    value : float
        A cosine.
    """

    def __init__(self, most: int, value: float) -> None:
        super().__init__(most)
        self.value = value

    def _key(self, cosine: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.abs(cosine - self.value)

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
        self._blocks.append(_some(pairs, np.flatnonzero(which)))
        if self._held > 2 * self.most:
            self._settle()

    def pairs(self) -> Pairs:
        """Those that are kept, in order."""
        self._settle()
        return self._blocks[0]

    def _settle(self) -> None:
        none = np.empty(0, np.int64)
        every = self._blocks or [Pairs(first=none, second=none, cosine=np.empty(0), count=0)]
        first = np.concatenate([one.first for one in every])
        second = np.concatenate([one.second for one in every])
        cosine = np.concatenate([one.cosine for one in every])
        order = np.lexsort((second, first, self._key(cosine)))[: self.most]
        self._blocks = [
            Pairs(first=first[order], second=second[order], cosine=cosine[order], count=len(order))
        ]
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


def _some(pairs: Pairs, which: NDArray[np.int64]) -> Pairs:
    return Pairs(
        first=pairs.first[which],
        second=pairs.second[which],
        cosine=pairs.cosine[which],
        count=len(which),
    )

"""Representational similarity analysis: do two representations rank pairs of images alike?

Kriegeskorte, Mur and Bandettini, "Representational similarity analysis - connecting the branches of
systems neuroscience", Frontiers in Systems Neuroscience 2:4 (2008), doi:10.3389/neuro.06.004.2008:
how unlike two images are is 1 less the correlation of their rows, and two representations are
compared by the rank correlation of that over all pairs of images.
"""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING, Literal

import numpy as np

from penult.similarity.gram import gram
from penult.similarity.rows import MEMORY, CenteredRows, RowBlocks

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SAMPLE", "Dissimilarity", "correlate", "dissimilarities", "ranks", "spearman"]

Dissimilarity = Literal["correlation", "cosine", "euclidean"]

# Images, at most: they have 4.5 million pairs, which are held and sorted.
SAMPLE = 3_000

# Decimals. Pairs that are equally unlike are ties, whatever order their numbers were added in.
_DECIMALS = 12


def spearman(a: RowBlocks, b: RowBlocks, dissimilarity: Dissimilarity = "correlation") -> float:
    """Rank-correlate how unlike the images are in two representations.

    Parameters
    ----------
    a, b : RowBlocks
        Of the same images, in the same order; few enough for all their pairs.
    dissimilarity : {"correlation", "cosine", "euclidean"}
        See `dissimilarities`.

    Returns
    -------
    float
        Spearman's correlation, in [-1, 1], ties averaged; NaN where `ranks` are of either.
    """
    return correlate(*(ranks(dissimilarities(one, dissimilarity)) for one in (a, b)))


def correlate(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """The cosine of two centred vectors; NaN where one is 0, or NaN."""
    lengths = float(np.linalg.norm(a)) * float(np.linalg.norm(b))
    return min(1.0, max(-1.0, float(np.vdot(a, b)) / lengths)) if lengths > 0 else nan


def ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rank values, ties averaged, and subtract the mean rank: float64; NaN if some value is."""
    from scipy.stats import rankdata

    ranked: NDArray[np.float64] = rankdata(values, nan_policy="propagate")
    ranked -= (len(values) + 1) / 2
    return ranked


def dissimilarities(
    rows: RowBlocks, dissimilarity: Dissimilarity = "correlation", *, memory: int = MEMORY
) -> NDArray[np.float64]:
    """Compute how unlike each two images are.

    Parameters
    ----------
    rows : RowBlocks
        Of n images.
    dissimilarity : {"correlation", "cosine", "euclidean"}
        1 less the correlation of two rows, 1 less their cosine, or their squared distance, whose
        ranks are those of the distance.
    memory : int
        Bytes for blocks of rows, besides the products.

    Returns
    -------
    float64 array, shape (n(n-1)/2,)
        In the order of `scipy.spatial.distance.pdist`; NaN for a row of which there is no
        correlation, all of whose numbers are the same, or no cosine, all of whose numbers are 0.
    """
    if dissimilarity == "euclidean":
        centered = CenteredRows(rows)
        values = gram(centered, memory)
        values *= -2
        values += centered.squares
        values += centered.squares[:, None]
        values /= float(centered.squares.max()) or 1.0
    else:
        unit = _UnitRows(rows, centered=dissimilarity == "correlation")
        values = 1 - gram(unit, memory)
        values[unit.undefined] = values[:, unit.undefined] = nan
    n = len(rows)
    pairs: NDArray[np.float64] = values[np.triu(np.ones((n, n), bool), 1)]
    return np.round(pairs, _DECIMALS, out=pairs)


class _UnitRows:
    """Rows divided by their lengths, those of which there is one; less their own means, if asked.

    Attributes
    ----------
    undefined : bool array, shape (n,)
        The rows that have no length, of those that were read.
    """

    def __init__(self, rows: RowBlocks, *, centered: bool) -> None:
        self._rows, self._centered, self.width = rows, centered, rows.width
        self.undefined = np.zeros(len(rows), bool)

    def __len__(self) -> int:
        return len(self._rows)

    def read(self, start: int, stop: int) -> NDArray[np.float64]:
        block = self._rows.read(start, stop)
        if self._centered:
            # Numbers that are large beside how they vary lose no digits so, and equal ones become
            # exactly 0; halved, none is too large to be subtracted.
            block /= 2
            block -= block[:, :1].copy()
        block /= np.maximum(np.abs(block).max(axis=1, keepdims=True), np.finfo(float).tiny)
        if self._centered:
            block -= block.mean(axis=1, keepdims=True)
        lengths = np.linalg.norm(block, axis=1, keepdims=True)
        self.undefined[start:stop] = lengths[:, 0] == 0
        block /= np.where(lengths == 0, 1, lengths)
        return block

"""Debiased linear CKA: how far two representations agree on which images are alike.

The unbiased estimator of HSIC is HSIC_1 of Song, Smola, Gretton, Bedo and Borgwardt, "Feature
Selection via Dependence Maximization", JMLR 13 (2012) 1393-1434: with K̃ and L̃, the Gram matrices
with zeros for their diagonals,

    HSIC_1 = [tr K̃L̃ + 1ᵀK̃1 · 1ᵀL̃1 / ((n-1)(n-2)) - 2/(n-2) · 1ᵀK̃L̃1] / (n(n-3)).

It is the inner product of the U-centred matrices of Székely and Rizzo, "Partial Distance
Correlation with Methods for Dissimilarities", Annals of Statistics 42 (2014) 2382-2412. CKA divides
it by the root of the same of either with itself: Kornblith, Norouzi, Lee and Hinton, "Similarity of
Neural Network Representations Revisited", ICML 2019 (arXiv:1905.00414), there with the biased
estimator; with this one Nguyen, Raghu and Kornblith, "Do Wide and Deep Networks Learn the Same
Things?", ICLR 2021 (arXiv:2010.15327), and Murphy, Zylberberg and Fyshe, "Correcting Biased
Centered Kernel Alignment Measures in Biological and Artificial Neural Networks" (2024,
arXiv:2405.01012), who show what the bias does where rows have many numbers and images are few.

Of rows X less their mean, whose Gram matrix K is, the rows of K add up to 0, and those of K̃ to
-dᵢ, where d are the squared lengths of the rows of X. So no sum over K̃ has to be made, and what is
left of HSIC_1 is tr K̃L̃: from tiles of K and L, or, as tr KL = ‖XᵀY‖², from the products of columns.
"""

from __future__ import annotations

from math import isnan, nan, sqrt
from typing import TYPE_CHECKING

import numpy as np

from penult.similarity.gram import gram, gram_tiles
from penult.similarity.rows import MEMORY, CenteredRows, spans

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LEAST_ROWS", "debiased_cka", "u_centered", "within"]

LEAST_ROWS = 4  # n(n-3) is 0 of three

# Of the squared lengths' own squares. Less is left where no two images are more alike than any
# other two, and only float32's digits are compared.
_NOTHING = 1e-12


def debiased_cka(
    a: CenteredRows,
    b: CenteredRows,
    *,
    own: tuple[float, float] | None = None,
    memory: int = MEMORY,
) -> float:
    """Compute debiased linear CKA, without ever holding an (n, n) matrix.

    Parameters
    ----------
    a, b : CenteredRows
        Of the same n ≥ 4 images, in the same order.
    own : tuple of float, optional
        What `within` gives of either, where it is known.
    memory : int
        Bytes for blocks of rows and their products.

    Returns
    -------
    float
        In [-1, 1]; NaN if all images are equally alike in one of them, as where all rows are equal.
    """
    if own is None and _tiles_cost_less(a, b, within=True):
        both, mine, theirs = _by_tiles(a, b, memory)
        own = _unless_nothing(mine, a), _unless_nothing(theirs, b)
    else:
        own = own or (within(a, memory=memory), within(b, memory=memory))
        both = _between(a, b, memory)
    if isnan(own[0]) or isnan(own[1]):
        return nan
    return min(1.0, max(-1.0, both / (sqrt(own[0]) * sqrt(own[1]))))


def within(rows: CenteredRows, *, memory: int = MEMORY) -> float:
    """HSIC_1 of rows with themselves, n(n-3) times; NaN where it is nothing."""
    return _unless_nothing(_between(rows, rows, memory), rows)


def _unless_nothing(value: float, rows: CenteredRows) -> float:
    return value if value > _NOTHING * float(rows.squares @ rows.squares) else nan


def u_centered(rows: CenteredRows, *, memory: int = MEMORY) -> NDArray[np.float64]:
    """U-centre the Gram matrix of rows few enough for it.

    Returns
    -------
    float64 array, shape (n, n)
        Symmetric, with zeros for its diagonal; the sum of the products of two of them is HSIC_1,
        n(n-3) times.
    """
    every = slice(0, len(rows))
    centered = _u_centered(gram(rows, memory), rows, every, every)
    np.fill_diagonal(centered, 0)
    return centered


def _between(a: CenteredRows, b: CenteredRows, memory: int) -> float:
    """HSIC_1, n(n-3) times, in whichever way costs fewer products."""
    if _tiles_cost_less(a, b):
        return _by_tiles(a, b, memory)[0]
    return _by_columns(a, b, memory)


def _tiles_cost_less(a: CenteredRows, b: CenteredRows, *, within: bool = False) -> bool:
    """Whether they do; of both with each other, or `within` each of them as well."""
    if a is b:
        return len(a) < a.width
    columns = a.width * b.width + (a.width**2 + b.width**2 if within else 0) / 2
    return len(a) * (a.width + b.width) / 2 < columns


def _by_tiles(a: CenteredRows, b: CenteredRows, memory: int) -> tuple[float, float, float]:
    """HSIC_1, n(n-3) times, of both with each other, and of each with itself."""
    sums, sources = np.zeros(3), [a] if a is b else [a, b]
    for rows, columns, products in gram_tiles(sources, memory):
        for source, tile in zip(sources, products, strict=True):
            _u_centered(tile, source, rows, columns)
            # Pairs i < j alone: the diagonal, which `_by_columns` has to take off what it sums, is
            # in no sum, and takes no digits.
            tall, wide = tile.shape
            tile[np.tri(tall, wide, rows.start - columns.start, dtype=bool)] = 0
        first, last = products[0], products[-1]
        sums += [
            np.vdot(one, other) for one, other in ((first, last), (first, first), (last, last))
        ]
    both, mine, theirs = (2 * sums).tolist()
    return both, mine, theirs


def _u_centered(
    tile: NDArray[np.float64], of: CenteredRows, rows: slice, columns: slice
) -> NDArray[np.float64]:
    """U-centre a tile of the Gram matrix, in place."""
    n, squares = len(of), of.squares
    tile += squares[rows, None] / (n - 2)
    tile += squares[columns] / (n - 2)
    tile -= squares.sum() / ((n - 1) * (n - 2))
    return tile


def _by_columns(a: CenteredRows, b: CenteredRows, memory: int) -> float:
    n, total = len(a), 0.0
    step = max(1, memory // 4 // (8 * (a.width + b.width)))
    for start, stop in spans(b.width, memory // 4 // (8 * a.width)):  # all rows pass by a panel
        first = start if a is b else 0  # of what is symmetric, from the diagonal on
        panel = np.zeros((a.width - first, stop - start))
        for begin, end in spans(n, step):
            mine = a.read(begin, end)
            panel += mine[:, first:].T @ (mine if a is b else b.read(begin, end))[:, start:stop]
        total += float(np.vdot(panel, panel))
        if a is b:
            below = panel[stop - start :]
            total += float(np.vdot(below, below))
    sums = float(a.squares.sum()) * float(b.squares.sum())
    return total - n / (n - 2) * float(a.squares @ b.squares) + sums / ((n - 1) * (n - 2))

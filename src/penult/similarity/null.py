"""What chance alone gives: images of one representation matched with those of another at random.

It is the test of N. Mantel, "The Detection of Disease Clustering and a Generalized Regression
Approach", Cancer Research 27 (1967) 209-220, of two matrices over the same images: the rows and
columns of one are permuted together. A p-value counts the matching as it is among the permutations,
so that it is never 0: Phipson and Smyth, "Permutation P-values Should Never Be Zero", Statistical
Applications in Genetics and Molecular Biology 9 (2010), article 39.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING

import numpy as np

from penult.similarity.cka import u_centered
from penult.similarity.rows import CenteredRows, RowBlocks
from penult.similarity.rsa import Dissimilarity, correlate, dissimilarities, ranks

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["PERMUTATIONS", "SAMPLE", "Null", "cka_null", "permutation_null", "rsa_null"]

PERMUTATIONS = 200

# Images, at most: of 500, chance reaches 0.005 or so, and a permutation takes a quarter of the time
# that it takes of 1,000.
SAMPLE = 500

# Permutations that leave all in place, and such as swap copies, give the same number, but for the
# order in which it was added up.
_SAME = 1e-9


@dataclass(frozen=True)
class Null:
    """A value, and what chance gives in its place.

    Attributes
    ----------
    value : float
        Of the images as they are matched; NaN where there is none, as are the others then.
    p : float
        How often, of all permutations and the matching as it is, the value is as large.
    high : float
        The 95% quantile of the permutations.
    """

    value: float
    p: float
    high: float


def cka_null(
    a: RowBlocks, b: RowBlocks, *, permutations: int = PERMUTATIONS, seed: int = 0
) -> Null:
    """Permute the rows of one for debiased linear CKA; of images few enough for their pairs."""
    matrices = [u_centered(CenteredRows(one)) for one in (a, b)]
    return permutation_null(*matrices, permutations=permutations, seed=seed)


def rsa_null(
    a: RowBlocks,
    b: RowBlocks,
    dissimilarity: Dissimilarity = "correlation",
    *,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
) -> Null:
    """Permute the rows of one for RSA; of images few enough for their pairs."""
    from scipy.spatial.distance import squareform

    # A permutation moves ranks about, and changes none.
    matrices = [squareform(ranks(dissimilarities(one, dissimilarity))) for one in (a, b)]
    return permutation_null(*matrices, permutations=permutations, seed=seed)


def permutation_null(
    a: NDArray[np.float64], b: NDArray[np.float64], *, permutations: int, seed: int
) -> Null:
    """Compare how two matrices agree with how they do where images are matched at random.

    Parameters
    ----------
    a, b : float64 array, shape (n, n)
        Symmetric, with zeros for their diagonals; centred, so that their cosine is the measure.
    permutations : int
        How many random matchings.
    seed : int
        Of the matchings.

    Returns
    -------
    Null
        One-sided: large values count.
    """
    value, n = correlate(a, b), len(a)
    if np.isnan(value):
        return Null(nan, nan, nan)
    lengths = float(np.linalg.norm(a)) * float(np.linalg.norm(b))
    rng, by_chance = np.random.default_rng(seed), np.empty(permutations)
    rows, both = np.empty_like(b), np.empty_like(b)
    for k in range(permutations):
        order = rng.permutation(n)
        b.take(order, axis=0, out=rows, mode="clip")  # with "raise", `out` is buffered
        rows.take(order, axis=1, out=both, mode="clip")
        by_chance[k] = np.vdot(a, both) / lengths
    as_large = int((by_chance >= value - _SAME).sum())
    return Null(value, (1 + as_large) / (1 + permutations), float(np.quantile(by_chance, 0.95)))

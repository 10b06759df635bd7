"""How alike the rows of several networks are."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Any, Literal

from penult.representation import short_repr

__all__ = ["SimilarityMatrix"]


@short_repr
@dataclass(frozen=True, kw_only=True)
class SimilarityMatrix:
    """How alike the representations of several networks are, of the same images.

    Attributes
    ----------
    measure : {"cka", "rsa"}
        Debiased linear CKA, or RSA: see `penult.cka` and `penult.rsa`.
    names : tuple of str
        Of the K compared networks, as of `ComparedModel`.
    matrix : tuple of tuple of float, shape (K, K)
        Symmetric; NaN where a pair has no value, as where all rows of a network are equal.
    p : tuple of tuple of float, shape (K, K)
        Of each pair, by the permutation null: how often images that were matched by chance are at
        least as alike; NaN on the diagonal.
    n : int
        Images of which the matrix was made.
    null_n : int
        Images of which the null was made: a sample, where n is large.
    null_high : float
        The highest, over the pairs, of the 95% quantile of the null: what chance alone reaches.
    permutations : int
        Of the null, a pair.
    """

    measure: Literal["cka", "rsa"]
    names: tuple[str, ...]
    matrix: tuple[tuple[float, ...], ...]
    p: tuple[tuple[float, ...], ...]
    n: int
    null_n: int
    null_high: float
    permutations: int

    def to_dict(self) -> dict[str, Any]:
        """Write it as what JSON can hold, unrounded.

        Returns
        -------
        dict
            Its attributes but ``measure``, by their names; None where they are NaN.
        """
        return {
            "names": list(self.names),
            "matrix": [[_known(one) for one in row] for row in self.matrix],
            "p": [[_known(one) for one in row] for row in self.p],
            "n": self.n,
            "null_n": self.null_n,
            "null_high": _known(self.null_high),
            "permutations": self.permutations,
        }


def _known(value: float) -> float | None:
    return value if isfinite(value) else None

"""Whether a few rows are near to very many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from penult.representation import short_repr

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Hubness"]


@short_repr
@dataclass(frozen=True, kw_only=True)
class Hubness:
    """How often rows are among the k nearest of others: Radovanović, Nanopoulos, Ivanović (2010).

    Attributes
    ----------
    neighbors : int
        How many nearest neighbours of each row count, k.
    occurrences : int64 array, shape (n,)
        Of how many other rows each is among the k nearest, its k-occurrence; they sum to n k.
    skewness : float
        Of the k-occurrences, E(N - μ)³ / σ³: near 0 where all rows occur alike, large where a few
        occur very often; 0 where σ is 0.
    strongest : tuple of (str, int)
        Ids and k-occurrences of a few rows, those that occur most first.
    """

    neighbors: int
    occurrences: NDArray[np.int64]
    skewness: float
    strongest: tuple[tuple[str, int], ...]

    @property
    def rows(self) -> int:
        """Rows among which neighbours were found, n; all, or a random sample."""
        return len(self.occurrences)

    @property
    def hubs(self) -> int:
        """How many rows occur more often than the mean and two standard deviations."""
        counts = self.occurrences
        return int((counts > counts.mean() + 2 * counts.std()).sum())

    @property
    def antihubs(self) -> int:
        """How many rows are among the k nearest of no other."""
        return int((self.occurrences == 0).sum())

    def to_dict(self) -> dict[str, Any]:
        """Write it as what JSON can hold.

        Returns
        -------
        dict
            ``neighbors``, ``skewness``, how many rows are ``hubs`` and ``antihubs``, ``strongest``
            as a list of ``id`` and ``occurrences``, and ``measured`` (rows); further keys may come.
        """
        return {
            "neighbors": self.neighbors,
            "skewness": self.skewness,
            "hubs": self.hubs,
            "antihubs": self.antihubs,
            "strongest": [{"id": one, "occurrences": times} for one, times in self.strongest],
            "measured": self.rows,
        }

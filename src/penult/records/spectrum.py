"""In how many directions rows vary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from penult.representation import short_repr

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Spectrum"]


@short_repr
@dataclass(frozen=True, kw_only=True)
class Spectrum:
    """The variances of rows along their principal components, and how many of these count.

    Attributes
    ----------
    variance : float64 array, shape (r,)
        Along each principal component, descending, above 0; empty where all rows are the same.
    effective_rank : float
        That of Roy and Vetterli (2007), of the rows less their mean: exp(-Σ p ln p), where the p
        are the singular values divided by their sum. It is `most` where rows vary alike in all
        directions, 1 where they lie on a line, 0 where all are the same.
    participation_ratio : float
        (Σ λ)² / Σ λ² of the variances λ. As the effective rank, but the large variances weigh more.
    rows : int
        Rows that it is of; all, or a random sample where both rows and their numbers are many.
    most : int
        How many components there could be, min(D, rows - 1).
    """

    variance: NDArray[np.float64]
    effective_rank: float
    participation_ratio: float
    rows: int
    most: int

    def components(self, share: float) -> int:
        """How many components hold a share of the variance.

        Parameters
        ----------
        share : float
            In [0, 1], for example 0.95.

        Returns
        -------
        int
            The fewest that do; 0 where there is no variance.
        """
        if not len(self.variance):
            return 0
        held = (self.variance / self.variance.sum()).cumsum()
        return min(int(held.searchsorted(share)) + 1, len(held))

    def to_dict(self) -> dict[str, Any]:
        """Write it as what JSON can hold.

        Returns
        -------
        dict
            ``effective_rank``, ``participation_ratio``, ``components_95`` (how many hold 95% of the
            variance), ``components_most`` and ``measured`` (rows); further keys may come.
        """
        return {
            "effective_rank": self.effective_rank,
            "participation_ratio": self.participation_ratio,
            "components_95": self.components(0.95),
            "components_most": self.most,
            "measured": self.rows,
        }

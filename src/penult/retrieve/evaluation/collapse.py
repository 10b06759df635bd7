"""Rankings in which near-duplicates count as one row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.retrieve.evaluation.ranking import Ranking

__all__ = ["Collapsed"]


@dataclass(frozen=True)
class Collapsed:
    """The rows of rankings that are left where near-duplicates count as one row.

    Of each group only the first row that is found is kept; of the query's own group, none.

    Attributes
    ----------
    kept : bool array, shape (n_queries, M)
        Which ranks are kept.
    """

    kept: NDArray[np.bool_]

    @classmethod
    def of(
        cls, ranking: Ranking, queries: NDArray[np.int64], groups: NDArray[np.int64]
    ) -> Collapsed:
        """Collapse rankings.

        Parameters
        ----------
        ranking : Ranking
            Of the queries.
        queries : int64 array, shape (n_queries,)
            Places of rows.
        groups : int64 array, shape (N,)
            Each row's group of near-duplicates; a row without any is one by itself.
        """
        group = groups[ranking.places]
        kept = np.arange(group.shape[1]) < ranking.found[:, None]
        kept &= group != groups[queries][:, None]
        # Only groups of several rows can have a second one.
        crowded = (np.bincount(groups) > 1)[group] & kept
        at = np.flatnonzero(crowded)
        line = at // group.shape[1]
        first = np.unique(line * (groups.max() + 1) + group.reshape(-1)[at], return_index=True)[1]
        kept.reshape(-1)[at] = False
        kept.reshape(-1)[at[first]] = True
        return cls(kept)

    def apply(self, gain: NDArray[Any]) -> NDArray[Any]:
        """Move what is kept to the front of each ranking; behind it nothing is relevant.

        Parameters
        ----------
        gain : array, shape (n_queries, M)
            Relevance at each rank.

        Returns
        -------
        array, shape (n_queries, M)
        """
        line, _ = np.nonzero(self.kept)
        counts = self.kept.sum(axis=1)
        result = np.zeros_like(gain)
        place = np.arange(len(line)) - (np.cumsum(counts) - counts)[line]
        result[line, place] = gain[self.kept]
        return result

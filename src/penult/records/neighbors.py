"""The nearest rows of each of several queries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from penult.representation import short_repr

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Metric", "Neighbors"]

Metric = Literal["cosine", "euclidean"]
"""How near two rows are: the cosine of their angle (a similarity, larger is nearer), or their
Euclidean distance (smaller is nearer)."""


@short_repr
@dataclass(frozen=True, kw_only=True)
class Neighbors:
    """The k nearest rows of each query, nearest first.

    Attributes
    ----------
    places : int64 array, shape (Q, k)
        Places among the rows searched; -1 where there were fewer than k to be found.
    values : float64 array, shape (Q, k)
        Of `metric`: cosine similarities, in [-1, 1], descending; or Euclidean distances, ascending.
        NaN where there were fewer.
    metric : {"cosine", "euclidean"}
        What the values are.
    ids : tuple of tuple of str
        For each query the ids of those rows, without those that there were not; empty where rows
        without ids were searched.
    """

    places: NDArray[np.int64]
    values: NDArray[np.float64]
    metric: Metric = "cosine"
    ids: tuple[tuple[str, ...], ...] = ()

    def __len__(self) -> int:
        """The number of queries."""
        return len(self.places)

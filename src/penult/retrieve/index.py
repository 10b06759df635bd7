"""Rows that can be searched, each with its id."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.errors import UsageError
from penult.neighbors.exact import nearest
from penult.records import Features, Neighbors
from penult.records.neighbors import Metric
from penult.wording import count

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.recipe import Recipe
    from penult.records import Rows

__all__ = ["Index"]


@dataclass(frozen=True, kw_only=True)
class Index:
    """Rows that can be searched, each with its id.

    Attributes
    ----------
    rows : float32 or float16 array or h5py dataset, shape (N, D)
        What is searched.
    ids : sequence of str, length N
        Of the rows.
    metric : {"cosine", "euclidean"}
        How near two rows are.
    features : Features or None
        Labels, recipe and all else that is known of the rows; None of plain arrays.
    """

    rows: Rows
    ids: Sequence[str]
    metric: Metric = "cosine"
    features: Features | None = None

    @classmethod
    def of(
        cls, rows: Features | Any, ids: Sequence[str] | None = None, metric: Metric = "cosine"
    ) -> Index:
        """Make an index of features, or of an array of rows with their ids."""
        if isinstance(rows, Features):
            return cls(rows=rows.features, ids=rows.ids, metric=metric, features=rows)
        if ids is None or len(ids) != len(rows):
            raise UsageError(f"ids are needed, one for each of {count(len(rows), 'row')}")
        return cls(rows=rows, ids=ids, metric=metric)

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.ids)

    @property
    def recipe(self) -> Recipe | None:
        """How the rows were made, or None of plain arrays."""
        return None if self.features is None else self.features.recipe

    def search(
        self,
        queries: Any,
        k: int = 5,
        *,
        leave_out: NDArray[np.int64] | None = None,
        allowed: NDArray[np.bool_] | None = None,
    ) -> Neighbors:
        """Find the k nearest rows of each query."""
        found = nearest(
            self.rows, queries, k, metric=self.metric, leave_out=leave_out, allowed=allowed
        )
        return replace(
            found,
            ids=tuple(
                tuple(str(self.ids[place]) for place in line if place >= 0) for line in found.places
            ),
        )

"""A gallery in memory or in a file: an index, and what is known of each of its rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.errors import UnknownNameError, UsageError
from penult.neighbors.blocks import read_at
from penult.records import Features
from penult.retrieve.given import tails
from penult.retrieve.index import Index
from penult.retrieve.search.filters import allowed_rows
from penult.retrieve.search.searched import FoundRows, KnownRow, Selected

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.likeness import Likeness
    from penult.recipe import Recipe
    from penult.records.neighbors import Metric

__all__ = ["Gallery", "labels_of"]

_COMPARED = 5000  # ids, with one that there is not


@dataclass(frozen=True)
class Gallery:
    """Rows that an index finds; see `penult.retrieve.search.searched.Searched`.

    Attributes
    ----------
    index : Index
        Finds the rows.
    name : str
        What messages call it.
    path : Path or None
        Its file, where it came from one.
    """

    index: Index
    name: str
    path: Path | None = None

    @property
    def features(self) -> Features | None:
        """What is known of the rows; None of plain arrays."""
        return self.index.features

    @property
    def recipe(self) -> Recipe:
        """How the rows were made.

        Raises
        ------
        UsageError
            If nobody knows, so that no photo can become a row like them.
        """
        recipe = self.index.recipe
        if recipe is None:
            raise UsageError(
                f"{self.name} is of plain arrays, which do not say how their rows are made, so "
                "that photos cannot become such rows; give rows, or an index of a feature file's"
            )
        return recipe

    @property
    def origin(self) -> Mapping[str, Any]:
        """Where its images came from; empty of plain arrays."""
        return {} if self.features is None else self.features.origin

    @property
    def metric(self) -> Metric:
        """What is near."""
        return self.index.metric

    @property
    def width(self) -> int:
        """The numbers of a row, flattened."""
        return int(np.prod(self.index.rows.shape[1:]))

    @property
    def size(self) -> int:
        """How many rows it has."""
        return len(self.index)

    @property
    def label_names(self) -> Sequence[str]:
        """The labels that its rows may have."""
        return () if self.features is None else self.features.label_names

    @property
    def is_labelled(self) -> bool:
        """Whether some row has a label."""
        return self.features is not None and bool(self.features.labelled)

    @property
    def is_multilabel(self) -> bool:
        """Whether rows may have several labels."""
        return self.features is not None and self.features.targets is not None

    @property
    def likeness(self) -> Likeness | None:
        """What tells rows like these from others; see `Index.likeness`."""
        return self.index.likeness

    @cached_property
    def places(self) -> dict[str, int]:
        """The place of each id."""
        return {str(one): place for place, one in enumerate(self.index.ids)}

    def place(self, row_id: str) -> int:
        """The place of an id.

        Raises
        ------
        UnknownNameError
            Names ids like it.
        """
        try:
            return self.places[row_id]
        except KeyError:
            # To compare a name with a million others takes minutes.
            folder, _, name = row_id.rpartition("/")
            like = [one for one in self.places if name in one or one.startswith(f"{folder}/")]
            known = self.places if len(self.places) <= _COMPARED else like[:_COMPARED]
            meant = [one for one in tails(row_id) if one in self.places][:1]
            raise UnknownNameError(f"id in {self.name}", row_id, known, meant=meant) from None

    def labels(self, place: int) -> tuple[str, ...]:
        """The labels of a row: none, one, or several."""
        return () if self.features is None else labels_of(self.features, place)

    def known(self, ids: Iterable[str]) -> dict[str, KnownRow]:
        """Look up rows by their ids; those that it does not have are left out."""
        there = {one: self.places[one] for one in ids if one in self.places}
        return {one: self._known(one, place) for one, place in there.items()}

    def require(self, ids: Sequence[str]) -> list[KnownRow]:
        """Look up rows by their ids, in their order; see `Searched.require`."""
        return [self._known(one, self.place(one)) for one in ids]

    def rows_of(self, ids: Sequence[str]) -> NDArray[np.float32]:
        """Read the rows of some ids, in their order: (n, D); see `Searched.rows_of`."""
        unique, back = np.unique([self.place(one) for one in ids], return_inverse=True)
        rows = np.asarray(read_at(self.index.rows, unique)[back], np.float32)
        return rows.reshape(len(rows), -1)

    def features_of(self, ids: Sequence[str]) -> Features | None:
        """Say what is known of all rows; see `Searched.features_of`."""
        return self.features

    def select(
        self, filters: Sequence[str], corrected: Mapping[int, Sequence[str]] | None = None
    ) -> Selected:
        """Choose the rows that may be found; see `Searched.select` and `allowed_rows`."""
        allowed = allowed_rows(self, filters, corrected)
        if allowed is None:
            return Selected(None, len(self.index))
        return Selected(allowed, int(allowed.sum()))

    def count(self, selected: Selected, filters: Sequence[str] = ()) -> int:
        """Count the rows that may be found; see `Searched.count`."""
        assert selected.count is not None  # `select` has counted them
        return selected.count

    def labels_among(self, selected: Selected) -> tuple[str, ...] | None:
        """Which labels some rows have; see `Searched.labels_among`."""
        features = self.features
        if features is None:
            return None
        rows = slice(None) if selected.rows is None else selected.rows
        if features.targets is not None:
            labels = np.flatnonzero(np.asarray(features.targets)[rows].any(axis=0))
        else:
            labels = np.unique(np.asarray(features.labels)[rows])
        return tuple(features.label_names[k] for k in labels.tolist() if k >= 0)

    def first_ids(self, count: int) -> list[str]:
        """Give the ids of the first rows."""
        return [str(one) for one in self.index.ids[:count]]

    def ping(self) -> None:
        """Nothing can be in the way."""

    def close(self) -> None:
        """Nothing is held open."""

    def find(
        self,
        rows: NDArray[np.float32],
        k: int,
        *,
        own: Sequence[str | None],
        selected: Selected,
    ) -> list[FoundRows]:
        """Find the k nearest rows of each query; see `Searched.find`."""
        places = [-1 if one is None else self.places[one] for one in own]
        found = self.index.search(
            rows, k, leave_out=np.array(places, np.int64), allowed=selected.rows
        )
        return [self._found(*one) for one in zip(found.places, found.values, strict=True)]

    def _found(self, places: NDArray[np.int64], values: NDArray[np.float64]) -> FoundRows:
        there = places >= 0
        at = places[there].tolist()
        ids = [str(self.index.ids[place]) for place in at]
        return FoundRows(ids, values[there], [self.labels(place) for place in at])

    def _known(self, row_id: str, place: int) -> KnownRow:
        content = None if self.features is None else self.features.content
        return KnownRow(row_id, self.labels(place), "" if content is None else str(content[place]))


def labels_of(features: Features, place: int) -> tuple[str, ...]:
    """The labels of a row: none, one, or several."""
    names = features.label_names
    if features.targets is not None:
        return tuple(names[k] for k in np.flatnonzero(features.targets[place]))
    label = int(features.labels[place])
    return () if label < 0 else (names[label],)

"""A gallery in a database: the database finds the rows, and the rows themselves are compared."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from penult.databases.base import Filters, StoredRows, TableInfo, VectorTable
from penult.databases.filters import Condition
from penult.databases.registry import open_table
from penult.databases.stored_features import features_of_rows
from penult.errors import (
    DatabaseError,
    RecipeMismatchError,
    SearchError,
    UnknownNameError,
    UsageError,
)
from penult.interface import command, option
from penult.recipe import require_equal
from penult.retrieve.given import is_glob, tails
from penult.retrieve.search.filters import conditions_of, none_left, of_no_column, refuse_unknown
from penult.retrieve.search.searched import FoundRows, KnownRow, Selected

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from penult.recipe import Recipe
    from penult.records import Features
    from penult.records.neighbors import Metric

__all__ = ["TableGallery", "open_table_gallery"]

Result = TypeVar("Result")

_COMPARED = 1000  # ids, with one that there is not
_SCANNED = 1000  # rows at a time


class TableGallery:
    """Rows in a table of a database; see `penult.retrieve.search.searched.Searched`.

    Whoever asks, one question goes to the database after the other, by one connection. Where it has
    broken since the last question, another is made; so a service goes on when its database does.
    It goes on, too, with a table that was dropped and made anew meanwhile, if its rows are of the
    same recipe.

    Parameters
    ----------
    open : callable
        Opens the table; called again where its connection broke.
    metric : {"cosine", "euclidean"}
        What is near.

    Attributes
    ----------
    name : str
        The table's address, without a password.
    path : None
    metric : {"cosine", "euclidean"}

    Raises
    ------
    UsageError
        If there is no such table.
    SearchError
        If it has no rows.
    DatabaseError
    """

    path = None

    def __init__(self, open: Callable[[], VectorTable], *, metric: Metric = "cosine") -> None:
        self._open, self._lock = open, threading.RLock()
        self._table: VectorTable | None = open()
        self.name, self.metric = self._table.address, metric
        self._told: TableInfo | None = None
        info = self._ask(lambda table: table.info())
        if info is None or not info.rows:
            self.close()
        if info is None:
            pushed = command("push", "rows.h5", to=self.name)
            raise UsageError(f"there is no table at {self.name}; fill one with: {pushed}")
        if not info.rows:
            raise SearchError(f"{self.name} has no rows to search")
        self._told = info

    @property
    def _info(self) -> TableInfo:
        assert self._told is not None  # from the end of __init__ on
        return self._told

    @property
    def info(self) -> TableInfo:
        """What the table said of itself when it was asked last."""
        return self._info

    @property
    def recipe(self) -> Recipe:
        """How the rows were made."""
        return self._info.recipe

    @property
    def origin(self) -> Mapping[str, Any]:
        """Where the images came from."""
        return self._info.origin

    @property
    def width(self) -> int:
        """The numbers of a row, flattened."""
        return self._info.width

    @property
    def size(self) -> int:
        """How many rows it had when it was opened."""
        return self._info.rows

    @property
    def label_names(self) -> Sequence[str]:
        """The labels that its rows may have."""
        return self._info.label_names

    @property
    def is_labelled(self) -> bool:
        """Whether some row has a label."""
        return bool(self._info.label_names)

    @property
    def is_multilabel(self) -> bool:
        """Whether rows may have several labels."""
        return self._info.several

    def known(self, ids: Iterable[str]) -> dict[str, KnownRow]:
        """Look up rows by their ids; those that it does not have are left out."""
        return {one.id: one for one in _known(self._take(sorted({*ids})))}

    def require(self, ids: Sequence[str]) -> list[KnownRow]:
        """Look up rows by their ids, in their order; see `Searched.require`."""
        return _known(self._required(ids))

    def rows_of(self, ids: Sequence[str]) -> NDArray[np.float32]:
        """Read the rows of some ids, in their order: (n, D); see `Searched.rows_of`."""
        return self._required(ids).rows

    def features_of(self, ids: Sequence[str]) -> Features:
        """Say what is known of some rows; see `Searched.features_of`."""
        return features_of_rows(self._info, [self._take(list(dict.fromkeys(ids)))])

    def all_features(self) -> Features:
        """Read all rows into memory, a block at a time."""
        blocks = self._ask(lambda table: [*table.scan(_SCANNED)])
        return features_of_rows(self.refreshed(), blocks)

    def refreshed(self) -> TableInfo:
        """Ask the table anew what it is.

        Raises
        ------
        DatabaseError
            If it cannot be reached, or is gone, or has rows of another recipe by now.
        """
        return self._ask(self._require_recipe)

    def select(self, filters: Sequence[str]) -> Selected:
        """Choose the rows that may be found; see `Searched.select`.

        How many they are is not counted before it has to be said.
        """
        where = [self._condition(one) for one in conditions_of(filters)]
        return Selected(where, None)

    def count(self, selected: Selected, filters: Sequence[str] = ()) -> int:
        """Count the rows that may be found; see `Searched.count`."""
        where: Filters = selected.rows
        left = self._ask(lambda table: table.count(where))
        if left:
            return left
        for one in where:  # the first that nothing is like
            alone = [replace(one, negated=False)]
            if not self._ask(lambda table, alone=alone: table.count(alone)):  # type: ignore[misc]
                if one.key == "id":
                    raise UsageError(f"no id of {self.name} is like {one.value}")
                raise UsageError(f"no row of {self.name} has the {one.key} {one.value!r}")
        raise none_left(self.name, filters)

    def labels_among(self, selected: Selected) -> None:
        """Not known without reading the rows; see `Searched.labels_among`."""

    def find(
        self,
        rows: NDArray[np.float32],
        k: int,
        *,
        own: Sequence[str | None],
        selected: Selected,
    ) -> list[FoundRows]:
        """Find the k nearest rows of each query; see `Searched.find`."""
        found = self._ask(
            lambda table: table.nearest(
                rows, k, metric=self.metric, where=selected.rows, without=own
            )
        )
        return [
            FoundRows(list(one.found.ids), one.values, [tuple(own) for own in one.found.labels])
            for one in found
        ]

    def images_of(self) -> tuple[dict[str, int], int]:
        """Count the images of each label now, and those without one."""
        names = self.label_names
        counts = {
            name: self._ask(lambda table, name=name: table.count([Condition("label", name)]))  # type: ignore[misc]
            for name in names
        }
        none = [Condition("label", name, negated=True) for name in names]
        return counts, self._ask(lambda table: table.count(none))

    def first_ids(self, count: int) -> Sequence[str]:
        """Give the ids of the first rows."""
        some = self._ask(lambda table: next(iter(table.scan(count)), None))
        return () if some is None else some.ids

    def ping(self) -> None:
        """Find out whether the database answers; see `Searched.ping`."""
        self._ask(lambda table: table.known([""]))

    def close(self) -> None:
        """Let go of the connection."""
        with self._lock:
            table, self._table = self._table, None
            if table is not None:
                with suppress(DatabaseError):  # it has gone already
                    table.close()

    def _condition(self, one: Condition) -> Condition:
        if one.key == "label" and one.value not in self.label_names:
            self._told = self.refreshed()  # a later push may have brought it
        if one.key == "label" and self.label_names:
            refuse_unknown(one, self.label_names, self.name)
        elif one.key != "id" and not {
            "label": False,
            "split": self._info.splits,
            "group": self._info.groups,
        }.get(one.key):
            raise of_no_column(one, self.name)
        elif one.key == "id" and not self.known([one.value]):
            if not is_glob(one.value):
                raise self._unknown(one.value)
            return replace(one, glob=True)
        return one

    def _required(self, ids: Sequence[str]) -> StoredRows:
        found = self._take(list(dict.fromkeys(ids)))
        at = {one: place for place, one in enumerate(found.ids)}
        for one in ids:
            if one not in at:
                raise self._unknown(one)
        return found.take([at[one] for one in ids])

    def _unknown(self, row_id: str) -> UnknownNameError:
        shorter = tails(row_id)
        there = self.known(shorter)
        meant = [one for one in shorter if one in there][:1]
        known = self.first_ids(_COMPARED)
        return UnknownNameError(f"id in {self.name}", row_id, known, meant=meant)

    def _take(self, ids: Sequence[str]) -> StoredRows:
        return self._ask(lambda table: table.take(ids))

    def _ask(self, question: Callable[[VectorTable], Result]) -> Result:
        """Ask the table, by another connection where this one has broken."""
        with self._lock:
            if self._table is not None:
                try:
                    return question(self._table)
                except DatabaseError:
                    self.close()  # it is opened anew, and asked once more
            self._table = self._open()
            try:
                if self._told is not None:
                    self._told = self._require_recipe(self._table)
                return question(self._table)
            except DatabaseError:
                self.close()
                raise

    def _require_recipe(self, table: VectorTable) -> TableInfo:
        """Ask a table what it is, and refuse one that is no more what this one was.

        Raises
        ------
        DatabaseError
        """
        now, before = table.info(), self._info
        if now is None or not now.rows:
            pushed = command("push", "rows.h5", to=self.name)
            lack = "the table is gone" if now is None else "the table has no rows any more"
            raise DatabaseError(f"{self.name}: {lack}; fill one with: {pushed}")
        try:
            require_equal(
                before.recipe, now.recipe, name=f"what {self.name} had", other_name="what it has"
            )
        except RecipeMismatchError as error:
            raise DatabaseError(
                f"the table was dropped and filled anew with rows of another recipe: {error}; "
                "search it again, or have the service reload it (POST /v1/reload, or SIGHUP)"
            ) from error
        return now


def open_table_gallery(
    address: str, *, layer: str | None, metric: Metric | None, offline: bool = False
) -> TableGallery:
    """Open a table to search in.

    Parameters
    ----------
    address : str
        Of a database; see `penult.databases.registry`.
    layer : str, optional
        Which rows; a table has those of one layer.
    metric : {"cosine", "euclidean"}, optional
        What is near; cosine by default.
    offline : bool
        Refuse an address on another machine.

    Raises
    ------
    UsageError
        If there is no such table, or it has other rows.
    SearchError, DatabaseError, MissingExtraError
    """
    gallery = TableGallery(lambda: open_table(address, offline=offline), metric=metric or "cosine")
    info = gallery.info
    if layer is not None and layer not in (info.name, info.recipe.layer):
        gallery.close()
        raise UsageError(
            f"{gallery.name} is of the rows of {info.name} alone; leave out "
            f"{option('layer', layer)}"
        )
    return gallery


def _known(rows: StoredRows) -> list[KnownRow]:
    columns = zip(rows.ids, rows.labels, rows.content, strict=True)
    return [KnownRow(one, tuple(labels), content) for one, labels, content in columns]

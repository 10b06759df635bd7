"""What can be searched, wherever its rows are: in memory, in a file, or in a database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from penult.recipe import Recipe
    from penult.records import Features
    from penult.records.neighbors import Metric

__all__ = ["FoundRows", "KnownRow", "Searched", "Selected"]


@dataclass(frozen=True)
class KnownRow:
    """What is known of a row besides its numbers.

    Attributes
    ----------
    id : str
    labels : tuple of str
        None, one, or several.
    content : str
        Hex BLAKE2b-128 digest of its image's bytes; empty where that is not known.
    """

    id: str
    labels: tuple[str, ...] = ()
    content: str = ""


@dataclass(frozen=True)
class FoundRows:
    """What is near to one query, nearest first.

    Attributes
    ----------
    ids : sequence of str, length n
    values : float64 array, shape (n,)
        Cosines or Euclidean distances.
    labels : sequence of tuple of str, length n
    """

    ids: Sequence[str]
    values: NDArray[np.float64]
    labels: Sequence[tuple[str, ...]]


@dataclass(frozen=True)
class Selected:
    """The rows that conditions leave, as `Searched.find` takes them.

    Attributes
    ----------
    rows : object
        In whatever form the gallery tells them from others; None for all.
    count : int or None
        How many they are; None where that is to be asked for, see `Searched.count`.
    """

    rows: Any
    count: int | None


class Searched(Protocol):
    """A gallery: rows of one recipe that photos and other rows are compared with."""

    @property
    def name(self) -> str:
        """What messages call it."""

    @property
    def path(self) -> Path | None:
        """Its file; None where it came from none."""

    @property
    def recipe(self) -> Recipe:
        """How the rows were made.

        Raises
        ------
        UsageError
            If nobody knows, so that no photo can become a row like them.
        """

    @property
    def origin(self) -> Mapping[str, Any]:
        """Where its images came from, as `penult.Features.origin`."""

    @property
    def metric(self) -> Metric:
        """What is near."""

    @property
    def width(self) -> int:
        """The numbers of a row, flattened."""

    @property
    def size(self) -> int:
        """How many rows it has; of a table, how many it had when it was opened."""

    @property
    def label_names(self) -> Sequence[str]:
        """The labels that its rows may have."""

    @property
    def is_labelled(self) -> bool:
        """Whether some row has a label."""

    @property
    def is_multilabel(self) -> bool:
        """Whether rows may have several labels."""

    def known(self, ids: Iterable[str]) -> Mapping[str, KnownRow]:
        """Look up rows by their ids; those that it does not have are left out."""

    def rows_of(self, ids: Sequence[str]) -> NDArray[np.float32]:
        """Read the rows of some ids, in their order: (n, D).

        Raises
        ------
        UnknownNameError
            If there is no row of an id; names ids like it.
        """

    def require(self, ids: Sequence[str]) -> Sequence[KnownRow]:
        """Look up rows by their ids, in their order.

        Raises
        ------
        UnknownNameError
            If there is no row of an id; names ids like it.
        """

    def features_of(self, ids: Sequence[str]) -> Features | None:
        """Say what is known of some rows, and perhaps of others, as their pictures are found by it.

        None where nothing is known.
        """

    def select(self, filters: Sequence[str]) -> Selected:
        """Choose the rows that may be found.

        Parameters
        ----------
        filters : sequence of str
            See `penult.retrieve.search.filters`.

        Raises
        ------
        UsageError, UnknownNameError
        """

    def count(self, selected: Selected, filters: Sequence[str] = ()) -> int:
        """Count the rows that may be found.

        Parameters
        ----------
        selected : Selected
            What `select` gave.
        filters : sequence of str
            What it was given, for messages.

        Raises
        ------
        UsageError
            If there are none.
        """

    def labels_among(self, selected: Selected) -> tuple[str, ...] | None:
        """Which labels some rows have; None where that would take too long to find out."""

    def first_ids(self, count: int) -> Sequence[str]:
        """Give the ids of the first rows."""

    def ping(self) -> None:
        """Find out whether it can be searched at present.

        Raises
        ------
        DatabaseError
            If not; says why.
        """

    def close(self) -> None:
        """Let go of what it holds open, if anything."""

    def find(
        self,
        rows: NDArray[np.float32],
        k: int,
        *,
        own: Sequence[str | None],
        selected: Selected,
    ) -> Sequence[FoundRows]:
        """Find the k nearest rows of each query.

        Parameters
        ----------
        rows : float32 array, shape (Q, D)
            Finite, and for the cosine none all zeros.
        k : int
        own : sequence of str or None, length Q
            The id of the row that the query is itself, which it does not find.
        selected : Selected

        Returns
        -------
        sequence of FoundRows, length Q
            Of k rows each, wherever there are so many.

        Raises
        ------
        SearchError
            If rows of the gallery cannot be searched.
        """

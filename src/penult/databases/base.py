"""What penult asks of a table in a database, whichever that is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from penult.databases.filters import Condition, Filters
from penult.databases.rows import Nearest, Stored, StoredRows
from penult.databases.table_info import TableInfo

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from penult.records.neighbors import Metric

__all__ = [
    "Condition",
    "Filters",
    "Nearest",
    "Stored",
    "StoredRows",
    "TableInfo",
    "VectorTable",
]


@runtime_checkable
class VectorTable(Protocol):
    """One table of rows, all of one recipe; it need not be there yet.

    Each call is whole or not at all where the database can do that, and what is written is seen by
    the next call. What another process does to the same table at the same time loses no row of
    either. Rows are read from the table that `info` told of, and written to it: where it was
    dropped meanwhile and another has its name, whose rows may be of another recipe, that is a
    `DatabaseError`, until `info` is asked again. Methods are called one after the other, but not
    all by the thread that opened the table: a service has many. Every method raises a
    `DatabaseError`, one line without a password, where the database refuses or cannot be reached.

    Attributes
    ----------
    address : str
        As it was given, without a password, for messages.
    """

    address: str

    def info(self) -> TableInfo | None:
        """Read what the table says of itself; None where there is no such table yet.

        Raises
        ------
        DatabaseError
            If there is a table of that name that penult did not make, or one that a newer penult
            made.
        """

    def create(self, info: TableInfo) -> None:
        """Make the table, for rows of this recipe and shape.

        Where it is there, only what belongs to it and is lacking is made, so that it can be used.

        Parameters
        ----------
        info : TableInfo
            What the table is to say of itself.

        Raises
        ------
        UsageError
            If such rows are too long for the database or for its index.
        DatabaseError
            If it cannot be made, or what is lacking cannot be added.
        """

    def describe(self, change: Callable[[TableInfo], TableInfo]) -> TableInfo:
        """Change what the table says of itself, whoever else does at the same time.

        Parameters
        ----------
        change : callable
            From what it says now to what it is to say; it may be called again. What it leaves as
            it is, is not written.

        Returns
        -------
        TableInfo
            What it says from now on.
        """

    def known(self, ids: Sequence[str]) -> dict[str, Stored]:
        """Find out which of some ids have a row, its digest and its position."""

    def upsert(self, rows: StoredRows, digests: Sequence[str]) -> None:
        """Write rows, in the place of those of the same id.

        Parameters
        ----------
        rows : StoredRows
            Each id once.
        digests : sequence of str, length n
            Of each row, kept beside it for `known`.
        """

    def move(self, positions: Mapping[str, int]) -> None:
        """Give rows other positions; ids that have no row are passed over."""

    def remove_others(self, ids: Iterable[str]) -> int:
        """Remove the rows of all ids but these, and return how many those were."""

    def count(self, where: Filters = ()) -> int:
        """Count the rows that conditions leave."""

    def scan(self, batch: int) -> Iterator[StoredRows]:
        """Go through all rows, by position and then id, at most `batch` of them in memory."""

    def take(self, ids: Sequence[str]) -> StoredRows:
        """Read the rows of some ids, in their order; ids that have no row are passed over."""

    def nearest(
        self,
        queries: NDArray[np.float32],
        k: int,
        *,
        metric: Metric = "cosine",
        where: Filters = (),
        without: Sequence[str | None] = (),
    ) -> list[Nearest]:
        """Find the k nearest rows of each query.

        Parameters
        ----------
        queries : float32 array, shape (Q, D)
            Finite, and for cosine none all zeros.
        k : int
            How many to find.
        metric : {"cosine", "euclidean"}
        where : sequence of Condition
            Which rows may be found.
        without : sequence of str or None, length Q, optional
            The id that the query may not find, which is itself.

        Returns
        -------
        list of Nearest, length Q
            Of k rows each, wherever the conditions leave k; a row of zeros has no cosine, and is
            not found by it. Exact where there is no index of this metric.
        """

    def build_index(self, metric: Metric = "cosine") -> bool:
        """Have the database build its index, once rows are there.

        Parameters
        ----------
        metric : {"cosine", "euclidean"}

        Returns
        -------
        bool
            Whether it was built now: False where it was there. True the first time for each metric,
            even where the database needs no index.

        Raises
        ------
        DatabaseError
            If a row does not fit into the index.
        """

    def close(self) -> None:
        """Let go of the connection."""

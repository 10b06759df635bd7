"""Reaching an address: through fsspec, and again where the network stumbles."""

from __future__ import annotations

import errno
import random
import re
import time
from collections.abc import Callable
from typing import Any, TypeVar

from penult.errors import MissingExtraError, SourceError, UsageError
from penult.images.sources.remote.hosts import is_network
from penult.interface import option
from penult.passwords import without_password

__all__ = [
    "cause",
    "is_missing",
    "is_url",
    "is_web",
    "join",
    "open_system",
    "require_network",
    "require_writable",
    "with_retries",
]

ATTEMPTS = 5
_WRITABLE = ("s3", "gs", "az", "abfs", "oci", "oss", "hdfs", "sftp", "smb", "file")
FIRST_WAIT = 0.5
"""Seconds before the second attempt; doubled before each further one, and up to half as much more
or less, so that threads do not all come back at once."""

_T = TypeVar("_T")

_TRANSIENT_ERRNO = {
    errno.EAGAIN,
    errno.EBUSY,
    errno.ECONNRESET,
    errno.EIO,
    errno.EPIPE,
    errno.ETIMEDOUT,
}
_TRANSIENT_STATUS = {408, 425, 429, 500, 502, 503, 504}
# Of aiohttp, botocore and requests, none of which has to be installed.
_TRANSIENT_NAMES = {
    "ClientConnectionError",
    "ClientPayloadError",
    "FSTimeoutError",
    "HTTPClientError",
    "IncompleteRead",
    "IncompleteReadError",
    "RequestException",
    "ResponseParserError",
}


def is_url(source: object) -> bool:
    """An address, such as ``s3://bucket/photos``, and not the path of a file."""
    return isinstance(source, str) and re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", source) is not None


def join(folder: str, path: str) -> str:
    """The address of a path in a folder that is one."""
    if path.startswith("/"):
        scheme, _, rest = folder.partition("://")
        return f"{scheme}://{rest.partition('/')[0]}{path}"
    return f"{folder.rstrip('/')}/{path.removeprefix('./')}"


def require_network(url: str, place: str, *, offline: bool) -> bool:
    """Whether an address is on the network, and may be reached.

    Parameters
    ----------
    url : str
        The address.
    place : str
        Where it stands, for messages; "" where it was given itself.

    Raises
    ------
    UsageError
        If it is, and the network is not to be touched.
    """
    if not is_network(url):
        return False
    if offline:
        before = f"{place}: " if place else ""
        raise UsageError(
            f"{before}{url} is on the network, which penult was told not to touch "
            f"({option('offline', True)}, or PENULT_OFFLINE=1); copy it here and give the "
            f"file, or leave that out"
        )
    return True


def require_writable(url: str) -> None:
    """Refuse an address that begins as none does that can be written to.

    Raises
    ------
    UsageError
        Says which there are.
    """
    try:
        from fsspec.registry import available_protocols
    except ImportError:
        return  # `open_system` says what is missing
    scheme = url.partition("://")[0].lower()
    if scheme not in available_protocols():
        known = ", ".join(f"{one}://" for one in _WRITABLE)
        raise UsageError(
            f"{url} is not an address that can be written to: nothing is known of {scheme}://; "
            f"allowed: {known}, and what else fsspec can write to"
        )


def _web_options(url: str) -> dict[str, Any]:
    protocols = {part.partition("://")[0].lower() for part in url.split("::")}
    if not protocols & {"http", "https"}:
        return {}
    from fsspec.config import conf

    from penult.images.sources.remote.redirects import watch

    def options(protocol: str) -> dict[str, Any]:
        usual = conf.get(protocol, {}).get("client_kwargs", {})
        return {"client_kwargs": {**usual, "trace_configs": [watch()]}}

    return {protocol: options(protocol) for protocol in protocols & {"http", "https"}}


def open_system(url: str) -> tuple[Any, str]:
    """The library for an address, and how it calls the place."""
    scheme, shown = url.partition("://")[0].lower(), without_password(url)
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise MissingExtraError(shown, "remote") from error
    try:
        system, path = url_to_fs(url, use_listings_cache=False, **_web_options(url))
    except ImportError as error:
        if scheme in ("s3", "s3a", "http", "https"):
            raise MissingExtraError(shown, "remote") from error
        if scheme in ("gs", "gcs"):
            raise UsageError(f"{shown} needs gcsfs; type: pip install gcsfs") from error
        raise UsageError(f"{shown} needs a library that is not there: {cause(error)}") from error
    except ValueError as error:
        raise UsageError(f"{shown} is not an address that can be read: {cause(error)}") from error
    except Exception as error:
        raise SourceError(f"{shown} cannot be reached ({cause(error)})") from error
    return system, str(path)


def is_web(system: Any) -> bool:
    """Whether a library is that of web servers."""
    return "http" in system.protocol


def with_retries(call: Callable[[], _T]) -> _T:
    """Call; after an error that may pass, wait and call again, each time longer."""
    for attempt in range(1, ATTEMPTS):
        try:
            return call()
        except Exception as error:
            if not _may_pass(error):
                raise
            time.sleep(FIRST_WAIT * 2 ** (attempt - 1) * random.uniform(0.5, 1.5))
    return call()


def _real(error: BaseException) -> BaseException:
    """What a `FileNotFoundError` stands for, as which fsspec reports any error of a web server."""
    while isinstance(error, FileNotFoundError) and error.__cause__ is not None:
        if isinstance(error.__cause__, KeyError):  # of a library that keeps names in a dict
            break
        error = error.__cause__
    return error


def is_missing(error: BaseException) -> bool:
    """Whether an error says that there is nothing at an address."""
    real = _real(error)
    return isinstance(real, FileNotFoundError) or _status(real) == 404


def _may_pass(failed: BaseException) -> bool:
    error: BaseException | None = _real(failed)
    while error is not None:
        if isinstance(error, FileNotFoundError | PermissionError):
            return False
        if isinstance(error, TimeoutError | ConnectionError):
            return True
        status = _status(error)
        if status is not None:
            return status in _TRANSIENT_STATUS
        if getattr(error, "errno", None) in _TRANSIENT_ERRNO:
            return True
        if _TRANSIENT_NAMES & {kind.__name__ for kind in type(error).__mro__}:
            return True
        error = error.__cause__
    return False


def _status(error: BaseException) -> int | None:
    """The HTTP status that an error of aiohttp, botocore or gcsfs carries."""
    response = getattr(error, "response", None)
    about = response.get("ResponseMetadata", {}) if isinstance(response, dict) else {}
    for name in ("status", "code"):  # in this order: aiohttp warns of the second
        status = getattr(error, name, None)
        if isinstance(status, int):
            return status
    return about.get("HTTPStatusCode")


def cause(error: BaseException) -> str:
    """What was wrong, in a few words."""
    if is_missing(error):
        return "there is no such file"
    error = _real(error)
    status = _status(error)
    if status is not None:
        return f"HTTP status {status}"
    strerror = getattr(error, "strerror", None)
    lines = str(strerror or error).splitlines()
    return lines[0] if lines else type(error).__name__

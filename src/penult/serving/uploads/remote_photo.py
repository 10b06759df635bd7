"""A photo from an address that a client sent: from the public internet alone.

Whoever may have the service fetch an address could otherwise reach what only the service can: other
machines of its network, and the cloud's description of its host (server-side request forgery [1]_).
So each name is resolved once, all of its addresses have to be public, and the connection is made to
one of those, whatever the name leads to by then; each redirect is checked alike.

References
----------
.. [1] OWASP, Server-Side Request Forgery Prevention Cheat Sheet.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from io import BufferedReader, RawIOBase
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

from penult import __version__
from penult.serving.problems import ProblemError
from penult.wording import count

__all__ = ["fetch_photo", "is_public"]

_PORTS = {"http": 80, "https": 443}
_MOST_REDIRECTS = 3
_LONGEST = 2000
_PIECE = 1 << 16
_HOUR = 3600.0
_REDIRECTS = (301, 302, 303, 307, 308)
_NAT64 = IPv6Network("64:ff9b::/96")


def fetch_photo(
    url: str, *, max_bytes: int, timeout: float | None, take: Callable[[int], None] | None = None
) -> bytes:
    """Fetch what lies at an address.

    Parameters
    ----------
    url : str
        Of HTTP or HTTPS.
    max_bytes : int
        No more are read.
    timeout : float or None
        Seconds for all of it; None for an hour.
    take : callable, optional
        Called with the number of bytes before they are kept; it may raise to have no more read.

    Returns
    -------
    bytes

    Raises
    ------
    ProblemError
        422, if it is no such address, leads to one that is not public, or cannot be fetched; 413,
        if it is too large.
    """
    deadline = time.monotonic() + (timeout or _HOUR)
    for _ in range(_MOST_REDIRECTS + 1):
        answer = _get(_checked(url), max_bytes, deadline, take or (lambda _: None))
        if isinstance(answer, bytes):
            return answer
        url = urljoin(url, answer)
    raise _refused(f"the address redirects more than {_MOST_REDIRECTS} times")


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public internet, and so do those that it stands for."""
    found = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address):
        inner: list[IPv4Address | None] = [found.ipv4_mapped, found.sixtofour]
        inner += found.teredo or ()
        if found in _NAT64:
            inner.append(IPv4Address(int(found) & 0xFFFFFFFF))
        if any(one is not None and not is_public(str(one)) for one in inner):
            return False
        if found.ipv4_mapped is not None:
            return True
    return found.is_global and not found.is_multicast


def _checked(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        has_place = bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise _refused("the address cannot be read") from None
    if len(url) > _LONGEST or not url.isascii() or any(c <= " " for c in url):
        raise _refused(
            f"the address is longer than {_LONGEST} characters, or has others than ASCII's in it"
        )
    if parts.scheme not in _PORTS or not has_place:
        raise _refused("the address is none of a photo on the web; give https://HOST/PHOTO.jpg")
    if parts.username is not None or parts.password is not None:
        raise _refused("the address has a name or a password in it")
    return parts


def _get(
    parts: SplitResult, max_bytes: int, deadline: float, take: Callable[[int], None]
) -> bytes | str:
    """Get what is there, or the address that it redirects to."""
    host, port = str(parts.hostname), parts.port or _PORTS[parts.scheme]
    connection = _Pinned(host, port, _resolved(host, port), parts.scheme == "https", deadline)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {"User-Agent": f"penult/{__version__}", "Accept": "image/*", "Connection": "close"}
    try:
        connection.request("GET", target, headers=headers)
        with connection.getresponse() as response:
            location = response.getheader("Location")
            if response.status in _REDIRECTS and location:
                return location
            if response.status != HTTPStatus.OK:
                raise _refused(f"{host} answers with {response.status}")
            return _read(response, max_bytes, take)
    except TimeoutError:
        raise _refused(f"{host} did not send the photo in time") from None
    except (OSError, http.client.HTTPException) as error:
        raise _refused(f"the photo cannot be fetched from {host}: {type(error).__name__}") from None
    finally:
        connection.close()


def _read(response: http.client.HTTPResponse, max_bytes: int, take: Callable[[int], None]) -> bytes:
    pieces, size = list[bytes](), 0
    while True:
        piece = response.read1(_PIECE)
        if not piece:
            return b"".join(pieces)
        take(len(piece))
        size += len(piece)
        if size > max_bytes:
            raise ProblemError(
                413, f"the photo at the address is larger than {count(max_bytes, 'byte')}"
            )
        pieces.append(piece)


def _resolved(host: str, port: int) -> str:
    """One address of a host, all of which are public."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise _refused(f"there is no host {host[:80]}") from None
    addresses = [str(info[4][0]) for info in found]
    if not addresses or not all(map(is_public, addresses)):
        raise _refused(f"{host[:80]} is no host of the public internet")
    return addresses[0]


class _Pinned(http.client.HTTPConnection):
    """A connection to one address, which is asked by its name, and answers by a deadline."""

    def __init__(
        self, host: str, port: int, address: str, encrypted: bool, deadline: float
    ) -> None:
        super().__init__(host, port)
        self.default_port = _PORTS["https" if encrypted else "http"]
        self._address, self._encrypted, self._deadline = address, encrypted, deadline
        self.response_class = partial(_Timely, deadline=deadline)  # type: ignore[assignment]

    def connect(self) -> None:
        self.sock = socket.create_connection((self._address, self.port), _left(self._deadline))
        if self._encrypted:
            context = ssl.create_default_context()
            self.sock = context.wrap_socket(self.sock, server_hostname=self.host)


class _Timely(http.client.HTTPResponse):
    """A response of which no byte is waited for beyond a deadline, header included."""

    def __init__(self, sock: socket.socket, *args: Any, deadline: float, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp.close()
        self.fp = BufferedReader(_Pieces(sock, deadline))


class _Pieces(RawIOBase):
    """What comes from a socket by a deadline, however small the pieces are that it comes in."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        # It stays open, although the connection closes it once the header has come.
        self._socket, self._raw, self._deadline = sock, sock.makefile("rb", buffering=0), deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._socket.settimeout(_left(self._deadline))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


def _left(deadline: float) -> float:
    """Seconds until then."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _refused(detail: str) -> ProblemError:
    return ProblemError(422, detail)

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
from http import HTTPStatus
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, urljoin, urlsplit

from penult import __version__
from penult.serving.problems import ProblemError
from penult.wording import count

__all__ = ["fetch_photo", "is_public"]

_PORTS = {"http": 80, "https": 443}
_MOST_REDIRECTS = 3
_LONGEST = 2000
_PIECE = 1 << 16
_REDIRECTS = (301, 302, 303, 307, 308)
_NAT64 = IPv6Network("64:ff9b::/96")


def fetch_photo(url: str, *, max_bytes: int, timeout: float) -> bytes:
    """Fetch what lies at an address.

    Parameters
    ----------
    url : str
        Of HTTP or HTTPS.
    max_bytes : int
        No more are read.
    timeout : float
        Seconds for all of it.

    Returns
    -------
    bytes

    Raises
    ------
    ProblemError
        422, if it is no such address, leads to one that is not public, or cannot be fetched; 413,
        if it is too large.
    """
    deadline = time.monotonic() + timeout
    for _ in range(_MOST_REDIRECTS + 1):
        answer = _get(_checked(url), max_bytes, deadline)
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


def _get(parts: SplitResult, max_bytes: int, deadline: float) -> bytes | str:
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
            return _read(connection, response, max_bytes, deadline)
    except TimeoutError:
        raise _refused(f"{host} did not send the photo in time") from None
    except (OSError, http.client.HTTPException) as error:
        raise _refused(f"the photo cannot be fetched from {host}: {type(error).__name__}") from None
    finally:
        connection.close()


def _read(
    connection: _Pinned, response: http.client.HTTPResponse, max_bytes: int, deadline: float
) -> bytes:
    pieces, size = list[bytes](), 0
    while True:
        connection.wait_until(deadline)
        piece = response.read1(_PIECE)
        if not piece:
            return b"".join(pieces)
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
    """A connection to one address, which is asked by its name."""

    def __init__(
        self, host: str, port: int, address: str, encrypted: bool, deadline: float
    ) -> None:
        super().__init__(host, port)
        self.default_port = _PORTS["https" if encrypted else "http"]
        self._address, self._encrypted, self._deadline = address, encrypted, deadline

    def connect(self) -> None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.sock = socket.create_connection((self._address, self.port), left)
        if self._encrypted:
            context = ssl.create_default_context()
            self.sock = context.wrap_socket(self.sock, server_hostname=self.host)
        self._taken = self.sock  # which `sock` is no longer once the header has come

    def wait_until(self, deadline: float) -> None:
        """Have the next piece come by then."""
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._taken.settimeout(left)


def _refused(detail: str) -> ProblemError:
    return ProblemError(422, detail)

"""How many wrong tokens came from where of late."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address, ip_network
from threading import Lock

__all__ = ["WrongTokens"]

MOST, SECONDS = 10, 60.0
"""So many wrong tokens in so many seconds."""

_MOST_ADDRESSES = 10_000  # that are remembered


class WrongTokens:
    """Notes wrong tokens by the address that they came from; safe to call from any thread.

    This machine's own addresses are not counted: behind a proxy all clients have one of these, and
    a single one would shut all others out. Of IPv6 the first 64 bits count, which are one site's.

    Parameters
    ----------
    clock : callable
        Seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, Lock()
        self._came: dict[str, deque[float]] = {}

    def note(self, address: str | None) -> None:
        """Note one."""
        site = _site(address)
        if site is None:
            return
        with self._lock:
            came = self._came.pop(site, None) or deque(maxlen=MOST)
            came.append(self._clock())
            self._came[site] = came  # as the last
            if len(self._came) > _MOST_ADDRESSES:
                del self._came[next(iter(self._came))]

    def seconds(self, address: str | None) -> int:
        """How long no token is taken from there; 0 where one is."""
        if not self._came:  # as nearly always
            return 0
        with self._lock:
            came = self._came.get(_site(address) or "")
            if came is None or len(came) < MOST:
                return 0
            return max(0, math.ceil(came[0] + SECONDS - self._clock()))


def _site(address: str | None) -> str | None:
    try:
        found = ip_address(address or "")
    except ValueError:  # a socket of the file system, or a test
        return None
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is None:
            return None if found.is_loopback else str(ip_network((found, 64), strict=False))
        found = found.ipv4_mapped
    return None if found.is_loopback else str(found)

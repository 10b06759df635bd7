"""Where the service is, and how it is reached: what both clients are opened with."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from penult.errors import UsageError
from penult.extras import require_extra
from penult.interface import option
from penult.representation import what_given

__all__ = ["Connection", "require_address"]

_CONNECTING = 10.0
"""Seconds after which nobody is there; an answer may take longer."""


@dataclass(frozen=True)
class Connection:
    """Where the service is, and how it is reached.

    Parameters
    ----------
    url : str
        Its address, without ``/v1``.
    token : str, optional
        What it was given as its token.
    timeout : float or None
        Seconds to wait for each step of an answer.
    retries : int
        How often to ask again.

    Raises
    ------
    MissingExtraError
        If httpx is not installed.
    UsageError
        If the address is none, or a number is out of range.
    """

    url: str
    token: str | None = field(default=None, repr=False)
    timeout: float | None = 60.0
    retries: int = 3

    def __post_init__(self) -> None:
        require_extra("penult.Client", "client", "httpx")
        object.__setattr__(self, "url", self.url.rstrip("/").removesuffix("/v1"))
        require_address(self.url)
        token = None if self.token is None else self.token.strip()  # as read from a file
        if token is not None and not (token.isascii() and token.isprintable() and token):
            raise UsageError(f"{option('token')} is empty, or has characters that no token has")
        object.__setattr__(self, "token", token)
        if self.timeout is not None and not self.timeout > 0:
            raise UsageError(f"{option('timeout', self.timeout)}; give seconds, more than 0")
        if self.retries < 0:
            raise UsageError(f"{option('retries', self.retries)}; give 0 or more")

    def options(self) -> Mapping[str, Any]:
        """Return what `httpx.Client` and `httpx.AsyncClient` are opened with."""
        import httpx

        from penult import __version__

        headers = {"User-Agent": f"penult/{__version__}"}
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        connecting = None if self.timeout is None else min(self.timeout, _CONNECTING)
        return {
            "base_url": self.url,
            "headers": headers,
            # However many calls a program makes at once, each waits for its turn.
            "timeout": httpx.Timeout(self.timeout, connect=connecting, pool=None),
            # No proxy of the environment's leads to a service on this machine.
            "trust_env": not _is_this_machine(urlsplit(self.url).hostname or ""),
        }


def require_address(url: str, *, name: str = "url") -> None:
    """Refuse what is no address of a service.

    Parameters
    ----------
    url : str
    name : str
        Of the option that gives it.

    Raises
    ------
    UsageError
    """
    example = option(name, "http://127.0.0.1:8000")
    try:
        parts = urlsplit(url)
        port_is_one = parts.port is None or parts.port > 0
    except ValueError:
        port_is_one = False
    if not port_is_one or parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"{what_given(url)} is no address of a service; for example {example}")
    if parts.username is not None:
        raise UsageError(f"an address with a password was given; give {option('token', 'TOKEN')}")
    if parts.query or parts.fragment or not url.isascii() or not url.isprintable() or " " in url:
        raise UsageError(f"{what_given(url)} is more than an address; for example {example}")


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")

"""The end of a connection whose client still sends, so that it can read the answer."""

from __future__ import annotations

from asyncio import AbstractEventLoop, BaseProtocol, Protocol, Transport
from collections.abc import Callable
from typing import Any

__all__ = ["LingeringTransport"]

_SECONDS = 15.0
"""That a client may go on sending what is no longer heeded."""


class LingeringTransport:
    """A transport that ends for a client that still sends when that is done, or has taken too long.

    Where bytes come in that nobody reads, the system resets the connection, and the client may lose
    an answer that it has not read yet, such as that its photo is too large [1]_. So the answer is
    ended, and what comes still is read and dropped.

    Parameters
    ----------
    transport : asyncio.Transport
        What does all else.
    protocol : asyncio.BaseProtocol
        Whose connection it is.
    loop : asyncio.AbstractEventLoop
    is_sending : callable
        Whether more is to come from the client.

    References
    ----------
    .. [1] RFC 9112, HTTP/1.1, section 9.6.
    """

    def __init__(
        self,
        transport: Transport,
        protocol: BaseProtocol,
        loop: AbstractEventLoop,
        is_sending: Callable[[], bool],
    ) -> None:
        self._transport, self._protocol, self._loop = transport, protocol, loop
        self._is_sending, self._lingers = is_sending, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def is_closing(self) -> bool:
        """Whether nothing more is answered."""
        return self._lingers or self._transport.is_closing()

    def write(self, data: bytes) -> None:
        """Write a part of an answer, unless that has ended."""
        if not self._lingers:
            self._transport.write(data)

    def close(self) -> None:
        """End the connection; asked again, at once."""
        if self.is_closing() or not self._is_sending():
            self._transport.close()
            return
        self._lingers = True
        try:
            self._transport.write_eof()
        except OSError:  # the client has left
            self._transport.abort()
            return
        timer = self._loop.call_later(_SECONDS, self._transport.abort)
        self._transport.set_protocol(_Unheeded(self._protocol, timer.cancel))
        self._transport.resume_reading()


class _Unheeded(Protocol):
    """Drops what comes, until the client is done."""

    def __init__(self, before: BaseProtocol, done: Callable[[], None]) -> None:
        self._before, self._done = before, done

    def connection_lost(self, exc: Exception | None) -> None:
        self._done()
        self._before.connection_lost(exc)

"""HTTP/1.1 at a connection: what is no HTTP is a problem as any other, and heads have limits."""

from __future__ import annotations

from asyncio import TimerHandle, Transport
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from penult.serving.lingering import LingeringTransport
from penult.serving.problems import problem
from penult.serving.security_headers import security_headers
from penult.wording import count

__all__ = ["HttpProtocol"]

_MOST = 1 << 16
"""Bytes of a request beside its body, as h11 allows."""
_SECONDS = 30.0
"""In which the head of a request has to come, and some of an answer has to be taken."""
_TOO_LARGE = f"the request has more than {count(_MOST, 'byte')} beside its body; send less"
_MALFORMED = "this is no request of HTTP/1.1, or a malformed one"


class HttpProtocol(HttpToolsProtocol):
    """uvicorn's protocol with limits of its own, and its refusals as problems.

    llhttp, which parses, takes heads and trailers of any length; they are held here to 64 KB, and a
    head to half a minute. So is a client that takes nothing of an answer, which would otherwise be
    waited for as long as it likes, also by a service that stops. What clients send wrong is not
    logged, for they could fill a disk.

    Parameters
    ----------
    *args, **options
        As uvicorn gives them.
    refused : callable, optional
        Called with the status of an answer to what is no request.
    """

    _is_over = False
    """Whether there is too much beside the body."""
    _loose = 0
    """Bytes that came since the parser last made something of them."""
    _fields = 0
    """Bytes of the address and of all fields of this request."""
    _in_head = _moved = False
    _is_sending = False
    """Whether more of a body, or of what is no request, is to come."""
    _head_timer: TimerHandle | None = None
    _stall_timer: TimerHandle | None = None

    def __init__(
        self, *args: Any, refused: Callable[[int], None] = lambda _: None, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self._refused = refused

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Give the client a while to ask for something."""
        lingering = LingeringTransport(transport, self, self.loop, lambda: self._is_sending)
        super().connection_made(lingering)  # type: ignore[arg-type]
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._head_is_here()
        if self._stall_timer is not None:
            self._stall_timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what has come."""
        self._unset_keepalive_if_required()
        if self.transport.is_closing():
            return
        while data and self.parser is not None:
            fed, data, self._moved = data, b"", False
            try:
                self.parser.feed_data(fed)
            except httptools.HttpParserUpgrade as upgrade:
                # To another protocol, which a server may ignore: the next request is of this one.
                data = fed[upgrade.args[0] :]
                self.parser = httptools.HttpRequestParser(self)
            except httptools.HttpParserError:
                self._refuse()
                return
            self._loose = 0 if self._moved else self._loose + len(fed)
        if self._loose > _MOST:
            self._is_over = True
            self._refuse()
        elif self._in_head and self._head_timer is None:
            self._wait_for_head()

    def on_message_begin(self) -> None:
        """Begin to count."""
        super().on_message_begin()
        self._fields, self._in_head = 0, True

    def on_url(self, url: bytes) -> None:
        """Count it."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count it; a trailer is not heeded, for who may ask has been decided by then."""
        self._count(len(name) + len(value))
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Note that the head is whole."""
        self._in_head, self._moved, self._is_sending = False, True, True
        self._head_is_here()
        super().on_headers_complete()

    def on_chunk_header(self) -> None:
        """Note that the body goes on."""
        self._moved = True

    def on_body(self, body: bytes) -> None:
        """Note that the body goes on."""
        self._moved = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Note that another request may come."""
        self._moved, self._is_sending = True, False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Wait until it is taken."""
        super().on_response_complete()
        self._wait_for_client()

    def pause_writing(self) -> None:
        """Have the application wait until some of its answer is taken."""
        super().pause_writing()
        self._wait_for_client()

    def resume_writing(self) -> None:
        """Have it go on."""
        super().resume_writing()
        self._wait_for_client()

    def send_400_response(self, msg: str) -> None:
        """Answer with a problem, and end the connection."""
        status, detail = (431, _TOO_LARGE) if self._is_over else (400, msg)
        answer = problem(status, detail, {"Connection": "close", **security_headers("")})
        lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}".encode()]
        lines += [name + b": " + value for name, value in answer.raw_headers]
        self.transport.write(b"\r\n".join([*lines, b"", bytes(answer.body)]))
        self.transport.close()

    def _count(self, size: int) -> None:
        self._fields += size
        if self._fields > _MOST:
            self._is_over = True
            raise ValueError(_TOO_LARGE)  # which the parser makes an error of its own

    def _refuse(self) -> None:
        cycle = self.cycle
        self._is_sending = True
        is_open = cycle is not None and not cycle.response_complete
        if is_open and cycle.response_started:
            self.transport.close()  # an answer in the midst of another is none
            return
        self.send_400_response(_MALFORMED)
        if is_open:  # the app counts it, which hears no more of it
            cycle.disconnected = True
            cycle.message_event.set()
        else:
            self._refused(431 if self._is_over else 400)

    def _wait_for_head(self) -> None:
        self._head_timer = self.loop.call_later(_SECONDS, self._head_is_late)

    def _head_is_late(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()
        else:  # an answer is on its way, and this request waits behind it
            self._wait_for_head()

    def _head_is_here(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _wait_for_client(self) -> None:
        if self._stall_timer is not None:
            self._stall_timer.cancel()
        left = self.transport.get_write_buffer_size()
        self._stall_timer = (
            self.loop.call_later(_SECONDS, self._client_is_late, left) if left else None
        )

    def _client_is_late(self, before: int) -> None:
        if self.transport.get_write_buffer_size() >= before:
            self.transport.abort()
        else:
            self._wait_for_client()

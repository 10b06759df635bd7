"""How large a body may be, how long it may take, and in what form, whatever route reads it."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

from penult.serving.body_sentences import FORM_OVERHEAD, too_large, too_slow
from penult.serving.problems import problem

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["BodyLimits"]

_AS_IT_IS = {"Accept-Encoding": "identity", "Connection": "close"}


class BodyLimits:
    """Middleware that reads no body beyond a number of bytes, or of seconds, and none compressed.

    A route that reads its body itself may say sooner, and better, that it is too large; this holds
    for those that have it read, and for all that will be.

    Parameters
    ----------
    app : ASGI application
        What answers.
    max_bytes : int
        The most bytes; a form may have 64 KB beside.
    seconds : float
        From the request's header to the end of its body; 0 for as long as it takes.
    """

    def __init__(self, app: ASGIApp, *, max_bytes: int, seconds: float) -> None:
        self._app, self._max_bytes, self._seconds = app, max_bytes, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if (coding := _coding(scope)) not in ("", "identity"):
            told = f"the body is in {coding[:40]} (Content-Encoding); send it as it is"
            await problem(415, told, _AS_IT_IS)(scope, receive, send)
            return
        read, is_whole = 0, False
        end = time.monotonic() + self._seconds if self._seconds else None

        async def limited() -> Message:
            nonlocal read, is_whole
            if is_whole:  # what comes now is that the client has left
                return await receive()
            try:
                async with asyncio.timeout(None if end is None else end - time.monotonic()):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408, too_slow(self._seconds)) from None
            is_whole = message["type"] != "http.request" or not message.get("more_body", False)
            read += len(message.get("body", b""))
            if read > self._max_bytes + FORM_OVERHEAD:
                raise HTTPException(
                    413,
                    too_large(self._max_bytes, "send less at once"),
                    {"Connection": "close"},
                )
            return message

        await self._app(scope, limited, send)


def _coding(scope: Scope) -> str:
    values = [value for name, value in scope["headers"] if name == b"content-encoding"]
    return b", ".join(values).decode("latin-1").strip().lower()

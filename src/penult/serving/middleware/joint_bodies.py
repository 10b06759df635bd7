"""How many bytes the bodies of all requests in progress may have together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

from penult.serving.problems import problem
from penult.wording import count

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["JointBodies"]

_AGAIN = {"Retry-After": "1", "Connection": "close"}
_WITHOUT_BODY = frozenset(["GET", "HEAD", "OPTIONS"])


class JointBodies:
    """Middleware that bounds the memory that the bodies of requests in progress take together.

    The bytes of a body count from when they are read until its request is answered. One that says
    its length is refused before it is read, where there is no room for it.

    Parameters
    ----------
    app : ASGI application
        What answers.
    max_bytes : int
        Of all bodies together.
    """

    def __init__(self, app: ASGIApp, *, max_bytes: int) -> None:
        self._app, self._max_bytes, self._held = app, max_bytes, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["method"] in _WITHOUT_BODY:
            await self._app(scope, receive, send)
            return
        if self._held and self._held + _length(scope) > self._max_bytes:
            await problem(503, self._told, _AGAIN)(scope, receive, send)
            return
        held = 0

        async def counted() -> Message:
            nonlocal held
            message = await receive()
            size = len(message.get("body", b""))
            if self._held > held and self._held + size > self._max_bytes:  # others have the room
                raise HTTPException(503, self._told, _AGAIN)
            held += size
            self._held += size
            return message

        try:
            await self._app(scope, counted, send)
        finally:
            self._held -= held

    @property
    def _told(self) -> str:
        return (
            f"requests in progress have bodies of {count(self._held, 'byte')} already, of "
            f"{self._max_bytes:,} that they may have together; try again in 1 s"
        )


def _length(scope: Scope) -> int:
    """What a request says of its length; 0 where it says nothing that can be read."""
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else 0
    return 0

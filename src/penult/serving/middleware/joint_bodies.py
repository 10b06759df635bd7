"""How many bytes the bodies of all requests in progress may have together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penult.serving.joint_room import AGAIN, JointRoom, RoomOfRequest
from penult.serving.problems import problem

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["JointBodies"]

_WITHOUT_BODY = frozenset(["GET", "HEAD", "OPTIONS"])


class JointBodies:
    """Middleware that bounds the memory that the bodies of requests in progress take together.

    The bytes of a body count from when they are read until its request is answered, and so do
    those of a photo that is fetched for it. One that says its length is refused before it is read,
    where there is no room for it.

    Parameters
    ----------
    app : ASGI application
        What answers.
    max_bytes : int
        Of all bodies together.
    """

    def __init__(self, app: ASGIApp, *, max_bytes: int) -> None:
        self._app, self._joint = app, JointRoom(max_bytes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["method"] in _WITHOUT_BODY:
            await self._app(scope, receive, send)
            return
        if not self._joint.has(_length(scope)):
            await problem(503, self._joint.told, AGAIN)(scope, receive, send)
            return
        with RoomOfRequest(self._joint, scope) as room:

            async def counted() -> Message:
                message = await receive()
                room.take(len(message.get("body", b"")))
                return message

            await self._app(scope, counted, send)


def _length(scope: Scope) -> int:
    """What a request says of its length; 0 where it says nothing that can be read."""
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else 0
    return 0

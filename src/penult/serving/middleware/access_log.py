"""Each request in a log, a line each."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from penult.messages import printable

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["AccessLog"]

_LONGEST = 300  # characters of a path
_LOG = logging.getLogger(__name__)


class AccessLog:
    """Middleware that logs when a request came, from where, what it was, and how it was answered.

    Neither what stands behind the ``?`` nor a header is in it, and so no token.

    Parameters
    ----------
    app : ASGI application
        What answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        came, start, status = datetime.now(UTC), time.perf_counter(), "-"

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            _LOG.info(
                "%s %s %s %s %s %.0f ms",
                came.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                (scope.get("client") or ("-",))[0],
                printable(scope["method"]),
                # Decoded, it may hold the end of a line, and begin another that looks like ours.
                printable(scope["path"][:_LONGEST]),
                status,
                1000 * (time.perf_counter() - start),
            )

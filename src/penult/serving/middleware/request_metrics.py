"""Each request counted and timed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from penult.serving.metrics import ServiceMetrics

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Measured"]

_METHODS = frozenset(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
_GIVEN_UP = 499  # what nginx calls a request whose sender has left before it was answered


class Measured:
    """Middleware that tells `ServiceMetrics` of each request.

    Parameters
    ----------
    app : ASGI application
        What answers.
    metrics : ServiceMetrics
        What is told.
    """

    def __init__(self, app: ASGIApp, metrics: ServiceMetrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, start = _GIVEN_UP, time.perf_counter()

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        self._metrics.began()
        try:
            await self._app(scope, receive, watched)
        except Exception:
            status = 500
            raise
        finally:
            method = scope["method"] if scope["method"] in _METHODS else "other"
            seconds = time.perf_counter() - start
            self._metrics.ended(method, _route(scope), status, seconds)


def _route(scope: Scope) -> str:
    # The path itself may be anything, and each would be a series of its own.
    return str(getattr(scope.get("route"), "path", None) or "other")

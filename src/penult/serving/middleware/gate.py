"""Requests in progress are counted; a service that stops waits for them, and refuses others."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

from penult.serving.problems import problem

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from penult.serving.service import Service

__all__ = ["Gate", "drained"]

_WATCHING = re.compile(r"(/v1)?/(healthz|readyz|metrics)")


class Gate:
    """Middleware that refuses requests while the service is not ready, or has too many at once.

    Parameters
    ----------
    app : ASGI application
        What answers.
    service : Service
    """

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app, self._service = app, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        service = self._service
        if scope["type"] != "http" or _WATCHING.fullmatch(scope["path"]):
            await self._app(scope, receive, send)
            return
        if not service.is_ready:
            # With its connection, a client that tries again comes to whatever serves by then.
            headers = {"Retry-After": "5", "Connection": "close"}
            await problem(503, "the service is stopping", headers)(scope, receive, send)
            return
        if service.in_progress >= service.options.max_requests:
            told = f"{service.in_progress} requests are in progress already; try again in 1 s"
            await problem(503, told, {"Retry-After": "1"})(scope, receive, send)
            return
        service.in_progress += 1
        try:
            await self._app(scope, receive, send)
        finally:
            service.in_progress -= 1


async def drained(service: Service) -> None:
    """Wait until no request is in progress."""
    while service.in_progress:
        await asyncio.sleep(0.02)

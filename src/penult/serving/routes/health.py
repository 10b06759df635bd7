"""Whether the service lives, and whether it answers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool

from penult.errors import DatabaseError
from penult.serving.problems import ProblemError

if TYPE_CHECKING:
    from penult.retrieve.search.searched import Searched
    from penult.serving.service import Service

__all__ = ["router"]

PATIENCE = 5.0
"""Seconds that a database has to say that it is there."""


def router(service: Service) -> APIRouter:
    """`/healthz` and `/readyz`, at the root and under `/v1`."""
    routes = APIRouter(tags=["health"])
    ping = _Ping()

    async def healthz() -> dict[str, str]:
        """Say that the process lives."""
        return {"status": "ok"}

    async def readyz() -> dict[str, str]:
        """Say whether requests are answered.

        They are not before all is opened, nor while it stops, nor while the gallery's database, if
        it is in one, does not answer.
        """
        if not service.is_ready:
            raise ProblemError(503, "the service is not ready", {"Retry-After": "1"})
        if service.served.gallery is not None:
            await ping(service.served.gallery.gallery)
        return {"status": "ready"}

    for prefix in ("", "/v1"):
        routes.add_api_route(f"{prefix}/healthz", healthz, methods=["GET"])
        routes.add_api_route(f"{prefix}/readyz", readyz, methods=["GET"])
    return routes


class _Ping:
    """Asks whether a gallery can be searched, once for all who want to know it.

    A database that has stopped without a word lets whoever asks it wait; those who ask again and
    again whether the service is ready must not take up all its threads meanwhile.
    """

    def __init__(self) -> None:
        self._asked: dict[int, asyncio.Future[None]] = {}

    async def __call__(self, gallery: Searched) -> None:
        key = id(gallery)
        if key not in self._asked:
            self._asked[key] = asyncio.ensure_future(run_in_threadpool(gallery.ping))
            self._asked[key].add_done_callback(lambda done: self._end(key, done))
        try:
            await asyncio.wait_for(asyncio.shield(self._asked[key]), PATIENCE)
        except TimeoutError:
            waited = f"{gallery.name} does not answer within {PATIENCE:g} seconds"
            raise DatabaseError(waited) from None

    def _end(self, key: int, done: asyncio.Future[None]) -> None:
        del self._asked[key]
        if not done.cancelled():
            done.exception()  # which nobody may have waited for

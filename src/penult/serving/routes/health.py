"""Whether the service lives, and whether it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool

from penult.serving.problems import ProblemError

if TYPE_CHECKING:
    from penult.serving.service import Service

__all__ = ["router"]


def router(service: Service) -> APIRouter:
    """`/healthz` and `/readyz`, at the root and under `/v1`."""
    routes = APIRouter(tags=["health"])

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
            await run_in_threadpool(service.served.gallery.gallery.ping)
        return {"status": "ready"}

    for prefix in ("", "/v1"):
        routes.add_api_route(f"{prefix}/healthz", healthz, methods=["GET"])
        routes.add_api_route(f"{prefix}/readyz", readyz, methods=["GET"])
    return routes

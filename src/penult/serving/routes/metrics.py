"""What Prometheus reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Response

from penult.serving.schemas.problem import PROBLEMS

if TYPE_CHECKING:
    from penult.serving.service import Service

__all__ = ["router"]


def router(service: Service) -> APIRouter:
    """Make the route of the metrics, which has no version beside the one that has."""
    routes = APIRouter(tags=["service"])

    def metrics() -> Response:
        """Counts and histograms, as text that Prometheus reads."""
        text, content_type = service.metrics.text()
        return Response(text, headers={"Content-Type": content_type})

    text: dict[int | str, dict[str, Any]] = {
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}}
    }
    for prefix in ("", "/v1"):
        routes.add_api_route(
            f"{prefix}/metrics", metrics, response_class=Response, responses={**PROBLEMS, **text}
        )
    return routes

"""`GET /v1/review`: the images whose labels somebody should look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from penult.serving.require import require_collection, require_result
from penult.serving.schemas.answers import ReviewPage
from penult.serving.schemas.problem import PROBLEMS

if TYPE_CHECKING:
    from penult.serving.service import Service

__all__ = ["router"]


def router(service: Service) -> APIRouter:
    """List likely label errors, or images between two labels."""
    routes = APIRouter(tags=["labels"])
    most = service.options.max_k

    def review(
        kind: Literal["errors", "unsure"] = "errors",
        offset: int = Query(0, ge=0, le=1_000_000_000),
        limit: int = Query(min(100, most), ge=1, le=most),
    ) -> JSONResponse:
        """List images to look at, without those whose label was changed or confirmed since.

        `same` are other images of the same file where these have several labels, `same_labels`: a
        decision is one for all of them, and a file is listed until it has one label.

        `judged` of the gallery's `images` were looked at: all, or of many a random part.
        """
        collection = require_collection(service)
        found = require_result(collection.review)
        ids, now = collection.gallery.index.ids, collection.labels.now()
        items = found.items(kind, now)
        answer = {
            "total": len(items),
            "items": [
                {
                    "id": str(ids[one.place]),
                    "label": one.label,
                    "suggested": one.suggested,
                    "probability": one.probability,
                    "reason": one.reason,
                    "same": [str(ids[place]) for place in one.same],
                    "same_labels": [now.labels[place] for place in one.same],
                }
                for one in items[offset : offset + limit]
            ],
            "judged": found.judged,
            "images": found.images,
        }
        return JSONResponse(answer)

    routes.add_api_route(
        "/v1/review", review, methods=["GET"], response_model=ReviewPage, responses=PROBLEMS
    )
    return routes

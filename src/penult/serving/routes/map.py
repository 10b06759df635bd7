"""`GET /v1/map`: the gallery's rows as points in two dimensions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from penult.serving.require import require_collection, require_result
from penult.serving.schemas.answers import MapAnswer
from penult.serving.schemas.problem import PROBLEMS

if TYPE_CHECKING:
    from penult.serving.service import Service

__all__ = ["router"]

_DECIMALS = 3  # t-SNE's coordinates go to a hundred or so


def router(service: Service) -> APIRouter:
    """Answer with the map, once it is there."""
    routes = APIRouter(tags=["gallery"])

    def map() -> JSONResponse:
        """Place the images on a map; of a large gallery, a random part of them."""
        collection = require_collection(service)
        places = require_result(collection.places)
        now, ids, rows = collection.labels.now(), collection.gallery.index.ids, places.rows.tolist()
        x, y = places.xy.T.astype(float).round(_DECIMALS).tolist()
        answer = {
            "ids": [str(ids[place]) for place in rows],
            "x": x,
            "y": y,
            "labels": [now.labels[place] for place in rows],
            "clusters": [collection.cluster_of(place) for place in rows],
            "method": places.method,
            "images": len(ids),
        }
        return JSONResponse(answer)

    routes.add_api_route(
        "/v1/map", map, methods=["GET"], response_model=MapAnswer, responses=PROBLEMS
    )
    return routes

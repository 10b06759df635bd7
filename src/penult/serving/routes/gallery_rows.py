"""`GET /v1/gallery/rows`: the images of the gallery, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from penult.serving.require import require_held, require_result
from penult.serving.schemas.answers import GalleryPage
from penult.serving.schemas.problem import PROBLEMS

if TYPE_CHECKING:
    from penult.serving.gallery.collection import Collection
    from penult.serving.service import Service

__all__ = ["router"]

_LONGEST = 1000  # of a text to look for


def router(service: Service) -> APIRouter:
    """List images by label, cluster, and what their ids contain."""
    routes = APIRouter(tags=["gallery"])
    most = service.options.max_k

    def rows(
        label: str | None = Query(None, max_length=_LONGEST),
        cluster: int | None = Query(None, ge=0),
        q: str = Query("", max_length=_LONGEST),
        offset: int = Query(0, ge=0, le=1_000_000_000),
        limit: int = Query(min(100, most), ge=1, le=most),
    ) -> JSONResponse:
        """List images with a label, of a cluster, or whose ids contain `q`, whatever its case.

        An empty label is for images without one.
        """
        collection = require_held(service)
        if cluster is not None:
            collection.start()
            require_result(collection.clusters)
        found = _found(collection, label, cluster, q)
        return JSONResponse(_page(collection, found, offset, limit))

    routes.add_api_route(
        "/v1/gallery/rows", rows, methods=["GET"], response_model=GalleryPage, responses=PROBLEMS
    )
    return routes


def _found(collection: Collection, label: str | None, cluster: int | None, q: str) -> Sequence[int]:
    now, ids = collection.labels.now(), collection.gallery.index.ids
    found: Sequence[int] = range(len(ids))
    if cluster is not None:
        found = [place for place in found if collection.cluster_of(place) == cluster]
    if label is not None:
        found = [
            place
            for place in found
            if (label in now.of(place) if label else now.labels[place] is None)
        ]
    if q:
        part = q.casefold()
        found = [place for place in found if part in str(ids[place]).casefold()]
    return found


def _page(collection: Collection, places: Sequence[int], offset: int, limit: int) -> dict[str, Any]:
    now, ids = collection.labels.now(), collection.gallery.index.ids
    return {
        "total": len(places),
        "rows": [
            {
                "id": str(ids[place]),
                "label": now.labels[place],
                **({"labels": list(now.of(place))} if now.several else {}),
                "cluster": collection.cluster_of(place),
            }
            for place in places[offset : offset + limit]
        ],
    }

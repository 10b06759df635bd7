"""`GET /`: the page, with its style sheets and scripts, and what it asks first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from penult.serving.answers.classes import names_classes
from penult.serving.page.files import INDEX, PageFile, page_files
from penult.serving.page.map import page_map
from penult.serving.problems import ProblemError
from penult.serving.require import require_collection, require_gallery, require_result
from penult.serving.schemas.problem import PROBLEMS

if TYPE_CHECKING:
    from penult.serving.service import Service

__all__ = ["router"]


def router(service: Service) -> APIRouter:
    """Send the page.

    Its files hold nothing of what is served, so that they are sent to whoever has no token yet; the
    page asks for one.
    """
    routes = APIRouter(tags=["page"])

    async def page(request: Request) -> Response:
        return _sent(request, page_files()[INDEX])

    async def part(request: Request, name: str) -> Response:
        file = page_files().get(name)
        if file is None:
            raise ProblemError(404, "the page has no such file")
        return _sent(request, file)

    async def offered() -> dict[str, Any]:
        """Say what the service has, which the page shows, and how large a photo may be."""
        classifier, gallery = service.served.classifier, service.served.gallery
        return {
            "title": service.options.title,
            "classifier": None if classifier is None else classifier.name,
            "gallery": None if gallery is None else gallery.name,
            "classifies": names_classes(service.served),
            "label_log": service.label_log is not None,
            "max_bytes": service.options.max_bytes,
            "max_parts": service.options.max_parts,
        }

    def row_map() -> JSONResponse:
        """Send the map as the page's canvas takes it, with arrays in base64."""
        collection = require_collection(service)
        places = require_result(collection.places)
        return JSONResponse(page_map(collection, require_gallery(service).name, places))

    routes.add_api_route("/", page, include_in_schema=False)
    routes.add_api_route("/static/{name}", part, include_in_schema=False)
    routes.add_api_route("/v1/service", offered, responses=PROBLEMS)
    routes.add_api_route("/v1/map/page", row_map, response_model=dict[str, Any], responses=PROBLEMS)
    return routes


def _sent(request: Request, file: PageFile) -> Response:
    # Asked for again each time, so that a page and its scripts are always of one version.
    headers = {"ETag": file.etag, "Cache-Control": "no-cache"}
    if file.etag in request.headers.get("If-None-Match", ""):
        return Response(status_code=304, headers=headers)
    return Response(file.content, media_type=file.media_type, headers=headers)

"""`POST /v1/search`: the images of the gallery that are nearest to a photo, a row or an image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from penult.errors import ImageError
from penult.serving.answers.nearest import Asked, asked_of_id, asked_of_photo, asked_of_row, nearest
from penult.serving.answers.rows import rows_of
from penult.serving.problems import ProblemError
from penult.serving.query_names import require_known_names
from penult.serving.require import require_gallery
from penult.serving.schemas.answers import Found
from penult.serving.schemas.bodies import SEARCH_BODY
from penult.serving.schemas.problem import PROBLEMS
from penult.serving.uploads.body import read_body, require_one

if TYPE_CHECKING:
    from penult.serving.service import Service

__all__ = ["router"]


def router(service: Service) -> APIRouter:
    """Answer with the nearest images."""
    routes = APIRouter(tags=["gallery"], dependencies=[Depends(require_known_names)])
    # Not as an annotation, which FastAPI would look up where there is no `service`.
    k_of_request = Query(10, ge=1, le=service.options.max_k)

    async def search(
        request: Request,
        k: int = k_of_request,
        offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
        id: Annotated[str | None, Query(max_length=4096)] = None,
        filter: Annotated[list[str], Query(max_length=100)] = [],  # noqa: B006 - FastAPI's form
    ) -> JSONResponse:
        """Find what is nearest: to a photo, to `row` of JSON, or to the image of `id`."""
        gallery = require_gallery(service)
        body = await read_body(request, service.options)
        given = [id is not None, bool(body.photos), body.data is not None]
        if sum(given) != 1:
            raise ProblemError(
                400,
                "nothing to search for was sent, or several things were; send one of: a photo as "
                "the body, JSON with a row, or ?id=ID of an image of the gallery",
            )
        asked: Asked
        if id is not None:
            asked = await run_in_threadpool(asked_of_id, gallery, id)
        elif body.data is not None:
            asked = asked_of_row(gallery, body.data)
        else:
            (row,) = await rows_of(service, gallery.lane, [require_one(body.photos)])
            assert not isinstance(row, ImageError)  # `rows_of` raises that
            # Of a large table, its database is asked.
            asked = (
                asked_of_photo(gallery, row)
                if gallery.held is not None
                else await run_in_threadpool(asked_of_photo, gallery, row)
            )
        answer: dict[str, Any] = await run_in_threadpool(
            nearest, gallery, asked, k=k, offset=offset, filters=filter, label_log=service.label_log
        )
        return JSONResponse(answer)

    routes.add_api_route(
        "/v1/search",
        search,
        methods=["POST"],
        response_model=Found,
        responses=PROBLEMS,
        openapi_extra=SEARCH_BODY,
    )
    return routes

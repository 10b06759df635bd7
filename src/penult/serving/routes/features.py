"""`POST /v1/features`: the rows of photos."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response

from penult.errors import ImageError
from penult.serving.answers.rows import rows_of
from penult.serving.problems import ProblemError
from penult.serving.query_names import require_known_names
from penult.serving.schemas.answers import RowsAnswer
from penult.serving.schemas.bodies import PHOTO_BODY
from penult.serving.schemas.problem import PROBLEMS
from penult.serving.uploads.body import read_photos

if TYPE_CHECKING:
    from penult.serving.service import Service

__all__ = ["router"]

_BYTES = "application/octet-stream"
_ANSWERS = {
    200: {"content": {_BYTES: {"schema": {"type": "string", "format": "binary"}}}}
} | PROBLEMS


def router(service: Service) -> APIRouter:
    """Answer with rows, of the gallery's recipe or the classifier's."""
    routes = APIRouter(tags=["photos"], dependencies=[Depends(require_known_names)])

    async def features(request: Request) -> Response:
        """Turn photos into feature vectors."""
        model = service.served.rows_of
        photos = await read_photos(request, service.options)
        rows = await rows_of(service, model.lane, photos)
        good = [one.row for one in rows if not isinstance(one, ImageError)]
        if _BYTES in request.headers.get("accept", ""):
            bad = next((one for one in rows if isinstance(one, ImageError)), None)
            if bad is not None:
                raise ProblemError(422, f"{photos[rows.index(bad)].id}: {bad}")
            block = np.stack(good).astype("<f4", copy=False)
            headers = {
                "X-Penult-Shape": ",".join(map(str, block.shape)),
                "X-Penult-Recipe": model.recipe_sha256,
            }
            return Response(block.tobytes(), media_type=_BYTES, headers=headers)
        answer: dict[str, Any] = {
            "features": [None if isinstance(one, ImageError) else one.row.tolist() for one in rows],
            "recipe_sha256": model.recipe_sha256,
        }
        failures = [
            {"part": place, "detail": f"{photos[place].id}: {one}"}
            for place, one in enumerate(rows)
            if isinstance(one, ImageError)
        ]
        if failures:
            answer["failures"] = failures
        return JSONResponse(answer)

    routes.add_api_route(
        "/v1/features",
        features,
        methods=["POST"],
        response_model=RowsAnswer,
        responses=_ANSWERS,
        openapi_extra=PHOTO_BODY,
    )
    return routes

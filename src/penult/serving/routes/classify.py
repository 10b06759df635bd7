"""`POST /v1/classify`: the classes of photos."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse

from penult.errors import ImageError
from penult.serving.answers.classes import answers_of, classifying
from penult.serving.answers.rows import rows_of
from penult.serving.answers.shared_calls import SharedCalls
from penult.serving.models.model import ServedClassifier
from penult.serving.problems import ProblemError
from penult.serving.query_names import require_known_names
from penult.serving.schemas.answers import Classified
from penult.serving.schemas.bodies import PHOTO_BODY
from penult.serving.schemas.problem import PROBLEMS
from penult.serving.uploads.body import read_photos

if TYPE_CHECKING:
    from penult.serving.service import Service

__all__ = ["router"]


def router(service: Service) -> APIRouter:
    """Answer with classes: the classifier's, or by the votes of the gallery's nearest rows."""
    routes = APIRouter(tags=["photos"], dependencies=[Depends(require_known_names)])
    # A gallery may lie on a disk or in a database; a classifier is in memory.
    by_gallery = SharedCalls[dict[str, Any]]()
    by_classifier = SharedCalls[dict[str, Any]](is_steady=True)
    # Not as annotations, which FastAPI would look up where there is no `service`.
    top_of_request = Query(service.options.top, ge=1, le=service.options.max_k)

    async def classify(request: Request, top: int = top_of_request) -> JSONResponse:
        """Say which class a photo belongs to, how probable that is, and whether it is unlike all.

        Of several photos, the answer is `photos`, one a photo, with `detail` alone where it cannot
        be read.
        """
        model = classifying(service.served)
        photos = await read_photos(request, service.options)
        rows = await rows_of(service, model.lane, photos)
        good = [one for one in rows if not isinstance(one, ImageError)]
        answers_to = partial(answers_of, model, top=top)
        key: tuple[object, ...] = (id(model), top)
        together = by_classifier
        if not isinstance(model, ServedClassifier):
            together, contents = by_gallery, [one.content for one in good]
            if model.may_have(contents):  # what is left out of the votes is another for each
                answers_to, key = partial(answers_to, contents=contents), (*key, object())
        found = iter(await together(key, answers_to, np.stack([one.row for one in good])))
        answers: list[dict[str, Any]] = [
            {"detail": f"{photo.id}: {row}"} if isinstance(row, ImageError) else next(found)
            for photo, row in zip(photos, rows, strict=True)
        ]
        if len(answers) > 1:
            return JSONResponse({"photos": answers})
        if "label" not in answers[0]:
            raise ProblemError(422, f"the photo has no class: {answers[0]['detail']}")
        return JSONResponse(answers[0])

    routes.add_api_route(
        "/v1/classify",
        classify,
        methods=["POST"],
        response_model=Classified,
        responses=PROBLEMS,
        openapi_extra=PHOTO_BODY,
    )
    return routes

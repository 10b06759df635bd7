"""`POST /v1/reload`: the files of the service, opened anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter

from penult.errors import DatabaseError, PenultError
from penult.serving.problems import NO_DATABASE, ProblemError
from penult.serving.reloading import reload
from penult.serving.schemas.answers import Reloaded
from penult.serving.schemas.problem import PROBLEMS

if TYPE_CHECKING:
    from penult.serving.service import Service

__all__ = ["router"]


def router(service: Service) -> APIRouter:
    """Switch to what the files hold now."""
    routes = APIRouter(tags=["service"])

    def reload_files() -> dict[str, str]:
        """Open the files anew; if they cannot be, what was served is served still."""
        try:
            return {"version": reload(service).version}
        except PenultError as error:
            why = NO_DATABASE if isinstance(error, DatabaseError) else error
            told = f"not reloaded, what was served is served still: {why}"
            raise ProblemError(409, told) from None

    routes.add_api_route(
        "/v1/reload",
        reload_files,
        methods=["POST"],
        response_model=Reloaded,
        responses=PROBLEMS,
    )
    return routes

"""A body that is JSON: read in one way, whichever route it is for."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from penult.parsing import read_json
from penult.serving.invalid_requests import shown_json
from penult.serving.problems import ProblemError

__all__ = ["JsonRoute", "read_object"]


def read_object(data: bytes) -> dict[str, Any]:
    """Read the JSON object that a body has to be.

    Raises
    ------
    ProblemError
        400 if it is no JSON, is nested too deeply, or has a name twice; 422 if it is no object.
    """
    found = _read(data)
    if not isinstance(found, dict):
        told = f"the body is {shown_json(found)}; give an object of names and values"
        raise ProblemError(422, told)
    return found


class JsonRoute(APIRoute):
    """A route whose description FastAPI checks a body by, which is read as any other is."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers a request."""
        answer = super().get_route_handler()

        async def answered(request: Request) -> Response:
            return await answer(_Request(request.scope, request.receive))

        return answered


class _Request(Request):
    async def json(self) -> Any:
        # FastAPI lets through HTTPException alone.
        try:
            return _read(await self.body())
        except ProblemError as error:
            raise HTTPException(error.status, error.detail) from None


def _read(data: bytes) -> Any:
    try:
        return read_json(data.decode("utf-8-sig"), unique_names=True)
    except UnicodeDecodeError:
        raise ProblemError(400, "the body is no JSON: it is not in UTF-8") from None
    except ValueError as error:
        raise ProblemError(400, f"the body is no JSON: {error}") from None

"""Errors as ``application/problem+json`` (RFC 9457): a status, a sentence, and no stack trace."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match

from penult.errors import (
    DatabaseError,
    EngineError,
    FileFormatError,
    ImageError,
    OutputError,
    PathNotFoundError,
    PenultError,
    RecipeMismatchError,
    SearchError,
    SourceError,
    UndoError,
    UnknownNameError,
    UsageError,
)
from penult.messages import printable
from penult.serving.invalid_requests import invalid_request
from penult.serving.security_headers import security_headers

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.requests import Request

__all__ = ["MEDIA_TYPE", "NO_DATABASE", "ProblemError", "install", "of_image", "problem"]

MEDIA_TYPE = "application/problem+json"

_AGAIN = 5  # seconds
NO_DATABASE = (
    "the database that has the gallery does not answer at present; the service's log says why. Ask "
    f"again in {_AGAIN} s"
)

_FASTAPI_SAYS = "There was an error parsing the body"  # where it could not be had

# The first kind that an error is of counts.
_STATUS: tuple[tuple[type[PenultError], HTTPStatus], ...] = (
    (RecipeMismatchError, HTTPStatus.CONFLICT),
    (UndoError, HTTPStatus.CONFLICT),
    (UnknownNameError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (PathNotFoundError, HTTPStatus.NOT_FOUND),
    (ImageError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (SearchError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (SourceError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (OutputError, HTTPStatus.INSUFFICIENT_STORAGE),
    (FileFormatError, HTTPStatus.INTERNAL_SERVER_ERROR),
    (EngineError, HTTPStatus.INTERNAL_SERVER_ERROR),
    (UsageError, HTTPStatus.UNPROCESSABLE_ENTITY),
)


class ProblemError(Exception):
    """A request that is answered with a problem.

    Parameters
    ----------
    status : int
        Of HTTP.
    detail : str
        One sentence: what was given, what is allowed, what to do next.
    headers : mapping of str to str
        Of the answer.
    **more
        Further members of the problem.
    """

    def __init__(
        self, status: int, detail: str, headers: Mapping[str, str] | None = None, **more: Any
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers, self.more = status, detail, headers, more


def problem(
    status: int, detail: str, headers: Mapping[str, str] | None = None, **more: Any
) -> JSONResponse:
    """Make the answer.

    Parameters
    ----------
    status, detail, headers, **more
        As for `ProblemError`.
    """
    title = HTTPStatus(status).phrase
    content = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": printable(detail),
        **more,
    }
    return JSONResponse(content, status, headers, MEDIA_TYPE)


def status_of(error: PenultError) -> int:
    """The status that says best what kind of error it is."""
    return next((int(s) for kind, s in _STATUS if isinstance(error, kind)), 500)


def of_image(error: ImageError) -> ProblemError:
    """Say of a photo that it cannot be read, or is too large."""
    status = 413 if "pixels" in str(error) else 422
    return ProblemError(status, f"the photo {error}")


def _allowed(request: Request) -> list[str]:
    """The methods of all routes of a path; Starlette names those of the first one alone."""
    found = set[str]()
    for route in request.app.routes:
        if route.matches(request.scope)[0] is not Match.NONE:
            found.update(getattr(route, "methods", None) or ())
    return sorted(found)


def install(app: FastAPI) -> None:
    """Have an app answer every error with a problem."""

    async def own(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, ProblemError)
        return problem(error.status, error.detail, error.headers, **error.more)

    async def of_penult(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, PenultError)
        if isinstance(error, DatabaseError):
            # Where the database is, clients need not know.
            logging.getLogger("penult").warning("penult: %s", error)
            return problem(503, NO_DATABASE, {"Retry-After": str(_AGAIN)})
        return problem(status_of(error), str(error))

    async def of_http(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        told, headers = str(error.detail), error.headers
        if error.status_code == HTTPStatus.NOT_FOUND:
            told = f"there is no {request.scope['path'][:200]}; /v1/openapi.json says what there is"
        elif error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            allowed = _allowed(request)
            told = f"{request.method} is not allowed here; send {' or '.join(allowed)}"
            headers = {**(headers or {}), "Allow": ", ".join(allowed)}
        elif told == _FASTAPI_SAYS:
            told = "the connection ended before the body did"
        return problem(error.status_code, told, headers)

    async def invalid(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        return problem(*invalid_request(error.errors(), request.headers.get("content-type", "")))

    async def unexpected(request: Request, error: Exception) -> JSONResponse:
        # Starlette raises it once more, and uvicorn logs it; it answers in front of `Guard`.
        headers = security_headers(request.scope["path"])
        return problem(500, "the service failed at this request; its log says why", headers)

    app.add_exception_handler(ProblemError, own)
    app.add_exception_handler(PenultError, of_penult)
    app.add_exception_handler(HTTPException, of_http)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(Exception, unexpected)

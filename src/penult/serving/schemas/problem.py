"""The problems that a route may answer with."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from penult.serving.problems import MEDIA_TYPE

__all__ = ["PROBLEMS"]


class Problem(BaseModel):
    """What went wrong (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str


_TOLD = {
    400: "The request is malformed.",
    401: "The token is missing or wrong.",
    403: "The service does not go by this name, or does not fetch addresses.",
    404: "There is no such thing here.",
    408: "The body did not come in time.",
    409: "The row is of another recipe, a change cannot be undone, an image has another label than "
    "is expected, or files cannot be opened anew.",
    410: "The image has changed since its row was made.",
    413: "Too many bytes, pixels or photos.",
    415: "Not of a type that a photo has, or compressed.",
    422: "No photo can be read, or a value is not allowed.",
    500: "The service failed.",
    503: "The service is busy, or stopping; see Retry-After.",
    507: "The label log cannot be written.",
}

PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {
        "description": told,
        "content": {MEDIA_TYPE: {"schema": Problem.model_json_schema()}},
    }
    for status, told in _TOLD.items()
}
"""The problems of a route, by their status."""

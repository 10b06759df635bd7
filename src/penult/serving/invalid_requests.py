"""What is wrong with a request that does not fit its route's description, in a sentence."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["invalid_request", "shown_json"]

JSON = "application/json"

_TYPES = {
    "int": "a whole number",
    "float": "a number",
    "string": "a text",
    "list": "a list",
    "bool": "true or false",
    "dict": "an object of names and values",
    "model": "an object of names and values",
}
_LIMITS = {
    "greater_than_equal": "{ge} or more",
    "greater_than": "more than {gt}",
    "less_than_equal": "{le} or less",
    "less_than": "less than {lt}",
    "string_too_long": "{max_length} characters or fewer",
    "string_too_short": "{min_length} characters or more",
    "too_long": "{max_length} or fewer",
    "too_short": "{min_length} or more",
    "literal_error": "{expected}",
}
_LONGEST = 80


def invalid_request(errors: Sequence[Mapping[str, Any]], content_type: str) -> tuple[int, str]:
    """Say what is wrong with a request.

    Parameters
    ----------
    errors : sequence of mapping
        As `fastapi.exceptions.RequestValidationError.errors` gives them; the first is told.
    content_type : str
        The header of the request, empty where there was none.

    Returns
    -------
    status : int
        Of HTTP: 400 where there is no body, 415 for a body of another type, else 422.
    detail : str
        One sentence.
    """
    first = errors[0]
    kind, given, limits = str(first["type"]), first.get("input"), first.get("ctx", {})
    place, *inside = first["loc"]
    if place == "body" and isinstance(given, bytes):  # FastAPI has left it unread
        sent = content_type.partition(";")[0] or "no type"
        return 415, f"the body was sent as {sent[:_LONGEST]}; send Content-Type: {JSON}"
    if place == "body" and not inside and given is None:
        return 400, "no body was sent, or null; send JSON, as /v1/openapi.json describes it"
    name = ".".join(map(str, inside))[:_LONGEST] or "the body"
    if kind == "missing":
        return 422, f"{name} is missing; give it"
    if kind == "extra_forbidden":
        return 422, f"{name} is not known here; leave it out"
    if kind in _LIMITS:
        wanted = _LIMITS[kind].format(**limits)
    else:
        wanted = _TYPES.get(kind.partition("_")[0], "")
    told = f"{name} is {shown_json(given) if place == 'body' else _short(repr(given))}"
    return 422, f"{told}; give {wanted}" if wanted else f"{told}, which is not allowed"


def shown_json(given: Any) -> str:
    """Show a value as JSON has it, no longer than a sentence bears."""
    return _short(json.dumps(given, ensure_ascii=False))


def _short(told: str) -> str:
    return told if len(told) <= _LONGEST else f"{told[: _LONGEST - 1]}…"

"""The bodies that requests with photos may have."""

from __future__ import annotations

from typing import Any

__all__ = ["PHOTO_BODY", "SEARCH_BODY"]

_BINARY = {"schema": {"type": "string", "format": "binary"}}
_FORM = {
    "schema": {
        "type": "object",
        "properties": {"file": {"type": "array", "items": {"type": "string", "format": "binary"}}},
        "required": ["file"],
    }
}
_URL = {
    "type": "object",
    "properties": {"url": {"type": "string", "maxLength": 2000}},
    "required": ["url"],
    "additionalProperties": False,
}
_ROW = {
    "type": "object",
    "properties": {
        "row": {"type": "array", "items": {"type": "number"}},
        "recipe_sha256": {"type": "string"},
    },
    "required": ["row"],
    "additionalProperties": False,
}


def _photo(json: dict[str, Any], *, required: bool) -> dict[str, Any]:
    content = {
        "image/jpeg": _BINARY,
        "image/png": _BINARY,
        "application/octet-stream": _BINARY,
        "multipart/form-data": _FORM,
        "application/json": {"schema": json},
    }
    return {"requestBody": {"required": required, "content": content}}


PHOTO_BODY = _photo(_URL, required=True)
"""A photo: its bytes, fields of a form, or its address where that is allowed."""

SEARCH_BODY = _photo({"anyOf": [_ROW, _URL]}, required=False)
"""A photo or a row; nothing where an id is given."""

"""What requests and answers are, as the OpenAPI description says it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from penult.serving.problems import MEDIA_TYPE

__all__ = [
    "PHOTO_BODY",
    "PROBLEMS",
    "SEARCH_BODY",
    "Classified",
    "ClassifiedPhoto",
    "Found",
    "FoundHit",
    "GalleryAnswer",
    "GalleryPage",
    "MapAnswer",
    "Probability",
    "Reloaded",
    "ReviewPage",
    "RowsAnswer",
]

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
    409: "The row is of another recipe.",
    410: "The image has changed since its row was made.",
    413: "Too many bytes, pixels or photos.",
    415: "Not of a type that a photo has.",
    422: "No photo can be read, or a value is not allowed.",
    500: "The service failed.",
    503: "The service is busy, or stopping; see Retry-After.",
    507: "The disk is full.",
}

PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {
        "description": told,
        "content": {MEDIA_TYPE: {"schema": Problem.model_json_schema()}},
    }
    for status, told in _TOLD.items()
}
"""The problems of a route, by their status."""


class _Model(BaseModel):
    name: str
    kind: str
    recipe_sha256: str
    version: str


class _Failure(BaseModel):
    part: int
    detail: str


class RowsAnswer(BaseModel):
    """Rows of photos, null for each that cannot be read."""

    features: list[list[float] | None]
    recipe_sha256: str
    failures: list[_Failure] = []


class Probability(BaseModel):
    """A class and its probability."""

    label: str
    probability: float


class ClassifiedPhoto(BaseModel):
    """The classes of a photo."""

    label: str
    probability: float
    labels: list[str] | None = None
    top: list[Probability]
    unlike: bool
    similarity: float | None
    model: _Model


class _Unclassified(BaseModel):
    detail: str


class _ClassifiedPhotos(BaseModel):
    photos: list[ClassifiedPhoto | _Unclassified]


Classified = ClassifiedPhoto | _ClassifiedPhotos
"""Of one photo, or of several."""


class FoundHit(BaseModel):
    """An image that was found; `distance` where the gallery is searched by that."""

    id: str
    similarity: float | None
    distance: float | None = None
    label: str | None
    labels: list[str] | None = None


class Found(BaseModel):
    """The nearest images."""

    hits: list[FoundHit]
    vote: Probability | None
    exact_copy: str | None
    model: _Model


class _LabelCount(BaseModel):
    label: str
    images: int


class _ClusterCount(BaseModel):
    cluster: int
    name: str
    images: int


class GalleryAnswer(BaseModel):
    """What the gallery is."""

    name: str
    images: int
    width: int
    metric: str
    recipe_sha256: str
    model: str
    version: str
    has_images: bool
    labels: list[_LabelCount]
    unlabelled: int
    clusters: list[_ClusterCount] | None
    unlike_threshold: float | None


class Reloaded(BaseModel):
    """What is served now."""

    version: str


class _GalleryRow(BaseModel):
    id: str
    label: str | None
    labels: list[str] | None = None
    cluster: int | None


class GalleryPage(BaseModel):
    """Some images of the gallery; `total` are as was asked."""

    total: int
    rows: list[_GalleryRow]


class MapAnswer(BaseModel):
    """Places of images, each column in the order of `ids`; of `images` in all."""

    ids: list[str]
    x: list[float]
    y: list[float]
    labels: list[str | None]
    clusters: list[int | None]
    method: str
    images: int


class _ReviewItem(BaseModel):
    id: str
    label: str | None
    suggested: str
    probability: float
    reason: str


class ReviewPage(BaseModel):
    """Some images to look at, of `total`; `judged` of the gallery's `images` were judged."""

    total: int
    items: list[_ReviewItem]
    judged: int
    images: int

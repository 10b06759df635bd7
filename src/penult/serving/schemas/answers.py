"""The answers of routes, except those about labels."""

from __future__ import annotations

from pydantic import BaseModel

__all__ = [
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
    several_labels: bool
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
    same: list[str] = []
    same_labels: list[str | None] = []


class ReviewPage(BaseModel):
    """Some images to look at, of `total`; `judged` of the gallery's `images` were judged."""

    total: int
    items: list[_ReviewItem]
    judged: int
    images: int

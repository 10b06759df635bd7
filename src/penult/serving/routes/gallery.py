"""`GET /v1/gallery`: what is searched."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter

from penult.serving.described import PROBLEMS, GalleryAnswer
from penult.serving.problems import ProblemError

if TYPE_CHECKING:
    from penult.serving.models import ServedGallery
    from penult.serving.service import Service

__all__ = ["router"]


def router(service: Service) -> APIRouter:
    """Answer what the gallery is."""
    routes = APIRouter(tags=["gallery"])

    async def gallery() -> dict[str, Any]:
        """Say what the gallery is, and which labels its images have."""
        return _told(require_gallery(service))

    routes.add_api_route(
        "/v1/gallery", gallery, methods=["GET"], response_model=GalleryAnswer, responses=PROBLEMS
    )
    return routes


def require_gallery(service: Service) -> ServedGallery:
    """Get the gallery that is served at present.

    Raises
    ------
    ProblemError
        404, if there is none.
    """
    found = service.served.gallery
    if found is None:
        raise ProblemError(404, "this service has no gallery")
    return found


def _told(served: ServedGallery) -> dict[str, Any]:
    gallery = served.gallery
    labels = [gallery.labels(place) for place in range(len(gallery.index))]
    counts = Counter(label for own in labels for label in own)
    return {
        "name": served.name,
        "images": len(gallery.index),
        "width": gallery.width,
        "metric": gallery.index.metric,
        "recipe_sha256": served.recipe_sha256,
        "model": served.recipe.network,
        "version": served.version,
        "has_images": not served.photos.is_empty,
        "labels": [{"label": name, "images": n} for name, n in sorted(counts.items())],
        "unlabelled": sum(not own for own in labels),
        "clusters": None,
        "unlike_threshold": None,
    }

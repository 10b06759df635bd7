"""`GET /v1/gallery`: what is searched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter

from penult.serving.require import require_gallery
from penult.serving.schemas.answers import GalleryAnswer
from penult.serving.schemas.problem import PROBLEMS

if TYPE_CHECKING:
    from penult.records import Cluster
    from penult.serving.models.gallery import ServedGallery
    from penult.serving.service import Service

__all__ = ["router"]


def router(service: Service) -> APIRouter:
    """Answer what the gallery is."""
    routes = APIRouter(tags=["gallery"])

    def gallery() -> dict[str, Any]:
        """Say what the gallery is, and which labels its images have."""
        return _told(require_gallery(service))

    routes.add_api_route(
        "/v1/gallery", gallery, methods=["GET"], response_model=GalleryAnswer, responses=PROBLEMS
    )
    return routes


def _told(served: ServedGallery) -> dict[str, Any]:
    gallery = served.gallery
    now, likeness = served.collection.labels.now(), served.likeness
    clusters = served.collection.clusters.get_or_none()
    return {
        "name": served.name,
        "images": len(gallery.index),
        "width": gallery.width,
        "metric": gallery.index.metric,
        "recipe_sha256": served.recipe_sha256,
        "model": served.recipe.network,
        "version": served.version,
        "has_images": not served.photos.is_empty,
        "labels": [{"label": name, "images": n} for name, n in now.counts.items()],
        "unlabelled": now.unlabelled,
        "clusters": clusters and [_cluster(one) for one in clusters.clusters],
        "unlike_threshold": likeness and likeness.threshold,
    }


def _cluster(one: Cluster) -> dict[str, Any]:
    return {"cluster": one.number, "name": one.name, "images": one.size}

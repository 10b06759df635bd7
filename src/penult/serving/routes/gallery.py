"""`GET /v1/gallery`: what is searched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter

from penult.retrieve.search.table_gallery import TableGallery
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
    gallery, likeness, collection = served.gallery, served.likeness, served.collection
    clusters = None if collection is None else collection.clusters.get_or_none()
    counts, unlabelled = _counted(served)
    return {
        "name": served.name,
        "images": served.size,
        "width": gallery.width,
        "metric": gallery.metric,
        "recipe_sha256": served.recipe_sha256,
        "model": served.recipe.network,
        "version": served.version,
        "has_images": not served.photos.is_empty,
        "several_labels": gallery.is_multilabel,
        "labels": [{"label": name, "images": n} for name, n in counts.items()],
        "unlabelled": unlabelled,
        "clusters": clusters and [_cluster(one) for one in clusters.clusters],
        "unlike_threshold": likeness and likeness.threshold,
    }


def _counted(served: ServedGallery) -> tuple[dict[str, int], int]:
    """How many images have each label, and how many none."""
    if served.collection is None:
        assert isinstance(served.gallery, TableGallery)  # all others are held
        return served.gallery.images_of()
    now = served.collection.labels.now()
    return now.counts, now.unlabelled


def _cluster(one: Cluster) -> dict[str, Any]:
    return {"cluster": one.number, "name": one.name, "images": one.size}

"""The models of a service, opened from its files."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from penult.classify.classifier import Classifier
from penult.classify.loading import as_classifier
from penult.classify.prediction.predict import with_unlike
from penult.extractor import ExtractorSpec, RecipeRows
from penult.interface import option
from penult.likeness.level import with_level
from penult.recipe.digest import recipe_sha256
from penult.retrieve.search.opening import is_table_address, open_gallery
from penult.serving.gallery.collection import Collection
from penult.serving.gallery.held import held_gallery
from penult.serving.gallery.images import GalleryImages
from penult.serving.gallery.thumbnails import ThumbnailCache
from penult.serving.models.gallery import ServedGallery
from penult.serving.models.model import ServedClassifier
from penult.serving.models.served import Served
from penult.serving.models.version import classifier_version, gallery_version, table_version

if TYPE_CHECKING:
    from penult.likeness import Likeness
    from penult.recipe import Recipe
    from penult.retrieve.search.gallery import Gallery
    from penult.retrieve.search.searched import Searched
    from penult.serving.engine_queue import EngineQueue, Lane
    from penult.serving.labels.corrected import Corrections
    from penult.serving.models.sources import Sources

__all__ = ["open_served"]


def open_served(
    sources: Sources,
    queue: EngineQueue,
    *,
    max_pixels: int | None = None,
    corrections: Corrections | None = None,
) -> Served:
    """Open what is served. A network that both need is opened once.

    Parameters
    ----------
    sources : Sources
    queue : EngineQueue
        What runs the networks.
    max_pixels : int, optional
        Larger photos are refused.
    corrections : Corrections, optional
        What people have said of the gallery's labels.

    Raises
    ------
    PenultError
        As `load_classifier`, `open_gallery` and `ExtractorSpec.shared` do.
    """
    lanes: dict[Recipe, Lane] = {}

    def lane(recipe: Recipe, told: str) -> Lane:
        if recipe not in lanes:
            spec = ExtractorSpec(
                rows=RecipeRows((recipe,), told), weights=sources.weights, engine=sources.engine
            )
            lanes[recipe] = queue.open_lane(spec.shared().engine, max_pixels=max_pixels)
        return lanes[recipe]

    classifier = gallery = None
    if sources.classifier is not None:
        given = sources.classifier
        found = with_unlike(as_classifier(given), sources.unlike)
        classifier = ServedClassifier(
            name="the classifier" if isinstance(given, Classifier) else Path(given).name,
            kind="classifier",
            recipe=found.recipe,
            recipe_sha256=recipe_sha256(found.recipe),
            version=classifier_version(found),
            lane=lane(found.recipe, "the classifier"),
            classifier=found,
        )
    if sources.gallery is not None:
        offline = sources.weights.offline
        # A file that is served for weeks is overwritten some day.
        rows = open_gallery(
            sources.gallery, layer=sources.layer, metric=None, in_memory=True, offline=offline
        )
        with ExitStack() as unused:
            unused.callback(rows.close)
            held = held_gallery(rows, _name(sources.gallery))
            photos = GalleryImages(
                held or rows,
                sources.images,
                live=rows,
                # Rows may be somebody else's, and name any address; what was given is our own word.
                offline=offline or sources.images is None,
            )
            if photos.is_empty and any(rows.first_ids(1)):
                logging.getLogger("penult").warning(
                    "penult: the pictures of %s are not %s, and its names alone are served; say "
                    "where they are with %s",
                    _name(sources.gallery),
                    "where its rows were made" if sources.images is None else "in the images given",
                    option("images", "DIR"),
                )
            gallery = ServedGallery(
                name=_name(sources.gallery),
                kind="gallery",
                recipe=rows.recipe,
                recipe_sha256=recipe_sha256(rows.recipe),
                version=table_version(rows) if held is None else gallery_version(held),
                lane=lane(rows.recipe, "the gallery"),
                gallery=rows,
                held=held,
                # Of a feature file it is computed now, and nobody waits for it.
                likeness=_likeness(rows, held, sources.unlike if classifier is None else "auto"),
                collection=None
                if held is None
                else Collection(
                    held,
                    corrections=corrections,
                    classifier=None if classifier is None else classifier.classifier,
                ),
                images=sources.images,
                photos=photos,
                thumbnails=ThumbnailCache(photos),
            )
            unused.pop_all()
    return Served(classifier, gallery)


def _likeness(rows: Searched, held: Gallery | None, unlike: float | str) -> Likeness | None:
    if unlike == "off":
        return None
    few = "many rows in a database" if held is None else "few images"
    unknown = f"{rows.name} has too {few} to say what is unlike them; leave out {option('unlike')}"
    return with_level(None if held is None else held.likeness, unlike, unknown=unknown)


def _name(gallery: object) -> str:
    """What clients are told: the name of a file or a table, and not where it lies."""
    if not isinstance(gallery, str | Path):
        return "the gallery"
    if is_table_address(gallery):
        parts = urlsplit(str(gallery))
        return parse_qs(parts.query).get("table", [parts.path.rpartition("/")[2]])[0]
    return Path(gallery).name

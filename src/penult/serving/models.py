"""What is served: a classifier, a gallery or both, opened once; switched as a whole."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from penult.backbones.weights.choice import WeightsChoice
from penult.classify.classifier import Classifier
from penult.classify.loading import as_classifier
from penult.errors import UsageError
from penult.extractor import EngineOptions, ExtractorSpec, RecipeRows
from penult.interface import option
from penult.recipe.digest import recipe_sha256
from penult.records import Features
from penult.retrieve.index import Index
from penult.retrieve.search.gallery import Gallery, open_gallery
from penult.serving.collection import Collection
from penult.serving.gallery_images import GalleryImages
from penult.serving.thumbnail_cache import ThumbnailCache

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.likeness import Likeness
    from penult.recipe import Recipe
    from penult.serving.corrected_labels import Corrections
    from penult.serving.engine_queue import EngineQueue, Lane

__all__ = ["Served", "ServedClassifier", "ServedGallery", "ServedModel", "Sources", "open_served"]


@dataclass(frozen=True, kw_only=True)
class Sources:
    """What a service is opened from, again and again.

    Attributes
    ----------
    classifier : Classifier or path, optional
        All that `penult.predict` takes.
    gallery : Features, Index or path, optional
        All that `penult.search` takes.
    layer : str, optional
        Which rows of the gallery.
    images : sequence of paths, optional
        Where the images of the gallery are now, if they have moved.
    weights : WeightsChoice
    engine : EngineOptions
    """

    classifier: Classifier | str | Path | None = None
    gallery: Features | Index | str | Path | None = None
    layer: str | None = None
    images: Sequence[str | Path] | None = None
    weights: WeightsChoice = field(default_factory=WeightsChoice)
    engine: EngineOptions = field(default_factory=EngineOptions)

    def __post_init__(self) -> None:
        if self.classifier is None and self.gallery is None:
            raise UsageError(
                "there is nothing to serve; give "
                f"{option('classifier', 'flowers.skops')}, {option('gallery', 'flowers.h5')}, "
                "or both"
            )


@dataclass(frozen=True, kw_only=True)
class ServedModel:
    """What answers, as its answers name it.

    Attributes
    ----------
    name : str
        Its file's.
    kind : {"classifier", "gallery"}
    recipe : Recipe
        How photos become its rows.
    recipe_sha256 : str
    version : str
        Digest of what it holds, which another file has not.
    lane : Lane
        What makes such rows.
    """

    name: str
    kind: Literal["classifier", "gallery"]
    recipe: Recipe
    recipe_sha256: str
    version: str
    lane: Lane

    def to_dict(self) -> dict[str, str]:
        """Name it in an answer."""
        return {
            "name": self.name,
            "kind": self.kind,
            "recipe_sha256": self.recipe_sha256,
            "version": self.version,
        }


@dataclass(frozen=True, kw_only=True)
class ServedClassifier(ServedModel):
    """A classifier that is served."""

    classifier: Classifier


@dataclass(frozen=True, kw_only=True)
class ServedGallery(ServedModel):
    """A gallery that is served.

    Attributes
    ----------
    gallery : Gallery
        Its rows, ids, labels and index.
    collection : Collection
        What is known of it beyond its rows, as soon as it is started.
    images : sequence of paths, optional
        Where its images are now, if they have moved.
    photos : GalleryImages
        The images, as far as they are there.
    thumbnails : ThumbnailCache
        Small pictures of them.
    likeness : Likeness or None
        What tells photos like its own from others.
    """

    gallery: Gallery
    collection: Collection
    photos: GalleryImages
    thumbnails: ThumbnailCache
    images: Sequence[str | Path] | None = None
    likeness: Likeness | None = None

    @property
    def is_labelled(self) -> bool:
        """Whether some of its images have labels."""
        return self.gallery.features is not None and bool(self.gallery.features.labelled)

    def copy_of(self, content: str) -> str | None:
        """The id of the image of these bytes; None where there is none.

        Parameters
        ----------
        content : str
            Hex BLAKE2b-128 digest of the bytes, as feature files have it.
        """
        place = self._contents.get(content)
        return None if place is None else str(self.gallery.index.ids[place])

    @cached_property
    def _contents(self) -> dict[str, int]:
        features = self.gallery.features
        if features is None or features.content is None:
            return {}
        named = list(map(str, features.content))
        return {one: place for place, one in reversed(list(enumerate(named))) if one}

    def unlike(
        self, rows: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32] | None, NDArray[np.bool_] | None]:
        """Measure how near rows come to the gallery's, and say which are unlike all of them.

        Parameters
        ----------
        rows : float32 array, shape (n, D)

        Returns
        -------
        similarity : float32 array, shape (n,), or None
        unlike : bool array, shape (n,), or None
            None where the gallery has too few images to say.
        """
        if self.likeness is None:
            return None, None
        similarity = self.likeness.similarity(rows)
        return similarity, self.likeness.is_unlike(similarity)


@dataclass(frozen=True)
class Served:
    """What is served at one time.

    Attributes
    ----------
    classifier : ServedClassifier or None
    gallery : ServedGallery or None
    """

    classifier: ServedClassifier | None
    gallery: ServedGallery | None

    @property
    def version(self) -> str:
        """Digest of all of it."""
        parts = [one.version for one in (self.classifier, self.gallery) if one is not None]
        return parts[0] if len(parts) == 1 else _digest(" ".join(parts).encode())

    @property
    def rows_of(self) -> ServedModel:
        """Whose rows `/v1/features` gives: the gallery's, where there is one."""
        found = self.gallery or self.classifier
        assert found is not None  # `Sources` has one at least
        return found

    def start(self) -> None:
        """Begin to work out what is known of the gallery; doing it twice does no harm."""
        if self.gallery is not None:
            self.gallery.collection.start()

    def close(self) -> None:
        """Stop working; requests that have it go on with what is there."""
        if self.gallery is not None:
            self.gallery.collection.close()


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
        found = as_classifier(given)
        classifier = ServedClassifier(
            name="the classifier" if isinstance(given, Classifier) else Path(given).name,
            kind="classifier",
            recipe=found.recipe,
            recipe_sha256=recipe_sha256(found.recipe),
            version=_version_of_classifier(found),
            lane=lane(found.recipe, "the classifier"),
            classifier=found,
        )
    if sources.gallery is not None:
        rows = open_gallery(sources.gallery, layer=sources.layer, metric=None)
        photos = GalleryImages(
            rows,
            sources.images,
            # Rows may be somebody else's, and name any address; what was given is our own word.
            offline=sources.weights.offline or sources.images is None,
        )
        gallery = ServedGallery(
            name="the gallery" if rows.path is None else rows.path.name,
            kind="gallery",
            recipe=rows.recipe,
            recipe_sha256=recipe_sha256(rows.recipe),
            version=_version_of_gallery(rows),
            lane=lane(rows.recipe, "the gallery"),
            gallery=rows,
            likeness=rows.likeness,  # of a feature file it is computed now, and nobody waits for it
            collection=Collection(
                rows,
                corrections=corrections,
                classifier=None if classifier is None else classifier.classifier,
            ),
            images=sources.images,
            photos=photos,
            thumbnails=ThumbnailCache(photos),
        )
    return Served(classifier, gallery)


def _version_of_classifier(classifier: Classifier) -> str:
    # By what it says of rows: a file that was written anew and says the same is the same.
    from penult.classify.pipeline import row_width

    width = row_width(classifier.applied)
    rows = np.random.default_rng(0).normal(size=(64, width)).astype(np.float32)
    said = np.round(classifier.predict_features(rows), 9)
    likeness = classifier.likeness and (classifier.likeness.threshold, classifier.likeness.kept)
    told = [recipe_sha256(classifier.recipe), *classifier.label_names, str(likeness)]
    return _digest("\n".join(told).encode(), said.tobytes())


def _version_of_gallery(gallery: Gallery) -> str:
    features, index = gallery.features, gallery.index
    parts = [
        recipe_sha256(gallery.recipe).encode(),
        index.metric.encode(),
        "\n".join(map(str, index.ids)).encode("utf-8", "surrogateescape"),
        np.ascontiguousarray(index.lengths).tobytes(),
    ]
    if features is not None:
        labels = features.labels if features.targets is None else features.targets
        parts += ["\n".join(features.label_names).encode(), np.asarray(labels).tobytes()]
        if features.content is not None:
            parts.append("".join(map(str, features.content)).encode())
    return _digest(*parts)


def _digest(*parts: bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.hexdigest()[:16]

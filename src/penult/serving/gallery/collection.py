"""What is known of a gallery beyond its rows: labels as corrected, clusters, a map, a review."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from penult.errors import UsageError
from penult.serving.gallery.background import Background, Later
from penult.serving.gallery.review import Review, make_review
from penult.serving.labels.corrected import CorrectedLabels
from penult.wording import count

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.classify.classifier import Classifier
    from penult.progress import Tell
    from penult.records import Clustering, Features, RowMap
    from penult.retrieve.search.gallery import Gallery
    from penult.serving.labels.corrected import Corrections

__all__ = ["Collection", "Places"]

_LEAST_IN_CLUSTERS, _LEAST_ON_MAP = 2, 4  # images
MOST_ON_MAP = 50_000
"""Rows of a map: a random part of more."""


@dataclass(frozen=True, eq=False)
class Places:
    """A map of rows.

    Attributes
    ----------
    rows : int64 array, shape (n,)
        The places of its rows in the gallery.
    xy : float32 array, shape (n, 2)
    method : str
        What placed them: ``"tsne"``.
    """

    rows: NDArray[np.int64]
    xy: NDArray[np.float32]
    method: str


class Collection:
    """What is known of a gallery beyond its rows.

    The review, the clusters and the map are worked out one after the other in a thread, once
    `start` was called. A gallery that takes the place of another has a collection of its own.

    Parameters
    ----------
    gallery : Gallery
    corrections : Corrections, optional
        What people have said of labels: a log of labels.
    classifier : Classifier, optional
        Judges labels where it can; see `penult.serving.gallery.review.make_review`.

    Attributes
    ----------
    gallery : Gallery
    labels : CorrectedLabels
    clusters : Later of Clustering
        As `penult.cluster` makes them by default.
    places : Later of Places
        As `penult.map` makes them by default, of 50,000 rows at most.
    review : Later of Review
    """

    def __init__(
        self,
        gallery: Gallery,
        *,
        corrections: Corrections | None = None,
        classifier: Classifier | None = None,
    ) -> None:
        self.gallery = gallery
        self.labels = CorrectedLabels(gallery, corrections)
        self.review: Later[Review] = Later(
            "The review of labels",
            lambda tell: make_review(gallery, self.labels.now(), classifier, tell),
        )
        self.clusters: Later[Clustering] = Later("The clustering", self._cluster)
        self.places: Later[Places] = Later("The map", self._map)
        self._background = Background([self.review, self.clusters, self.places])

    def start(self) -> None:
        """Begin to work it all out; doing it twice does no harm."""
        self._background.start()

    def close(self) -> None:
        """Stop working; what is there stays."""
        self._background.close()

    def __enter__(self) -> Collection:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def cluster_of(self, place: int) -> int | None:
        """The cluster of a row; None while it is not known, or where it is in none."""
        found = self.clusters.get_or_none()
        cluster = -1 if found is None else int(found.assignments[place])
        return None if cluster < 0 else cluster

    @cached_property
    def _features(self) -> Features:
        """What is known of the rows, which are read where that is fastest."""
        features = self.gallery.features
        if features is None:
            raise UsageError(
                f"{self.gallery.name} is of plain arrays, of which there are neither clusters nor "
                "a map; serve a feature file, or an index of one"
            )
        return replace(features, features=self.gallery.index.rows)

    def _require(self, least: int, what: str) -> None:
        # What is below says what to type or to call.
        if (images := len(self.gallery.index)) < least:
            raise UsageError(
                f"the gallery has {count(images, 'image')}, and {what} {least} or more"
            )

    def _cluster(self, tell: Tell) -> Clustering:
        from penult.explore.clustering.make import make_clusters, require_clustering

        features = self._features
        self._require(_LEAST_IN_CLUSTERS, "clusters need")
        require_clustering("kmeans", rows=len(features), k=None, min_cluster_size=None, seed=0)
        return make_clusters(
            features,
            method="kmeans",
            k=None,
            min_cluster_size=None,
            metric=self.gallery.index.metric,
            seed=0,
            tell=tell,
        )

    def _map(self, tell: Tell) -> Places:
        from penult.explore.row_map.make import make_map

        features = self._features
        self._require(_LEAST_ON_MAP, "a map needs")
        found: RowMap = make_map(
            features,
            method="tsne",
            metric=self.gallery.index.metric,
            perplexity=None,
            neighbors=None,
            seed=0,
            fit_on=None,
            sample=MOST_ON_MAP,
            tell=tell,
        )
        at = self.gallery.places
        return Places(np.array([at[one] for one in found.ids], np.int64), found.xy, found.method)

"""What a collection shows of itself: a map, clusters, outliers, duplicates, a search among it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from penult.explore.clustering.make import make_clusters, require_clustering
from penult.explore.outliers.make import find_outliers
from penult.explore.outliers.references import require_reference
from penult.explore.row_map.make import make_map
from penult.progress import Tell
from penult.records import Clustering, Duplicates, Features, Outliers, SearchScores
from penult.reporting.classified import Classified
from penult.reporting.map_block import MapBlock, map_block
from penult.reporting.map_columns import column_notes, map_columns
from penult.reporting.nearest_rows import NearestRows
from penult.reporting.steps.course import Course

__all__ = ["Collection", "Looks", "look_at"]

MOST_CLUSTERED = 20_000
"""Rows that are put into clusters, and compared for outliers."""

MOST_MAPPED = 5_000
"""Rows of the map: t-SNE of as many takes some ten seconds on two cores."""

MAP_BYTES = 4_000_000
"""That the map takes of the page, with its pictures."""


@dataclass(frozen=True, kw_only=True)
class Looks:
    """What is asked for, beside a classifier.

    Attributes
    ----------
    map, clusters, outliers, duplicates, retrieval : bool
    near : float
        Cosine from which images are near-duplicates.
    seed : int
        Of random parts, and of the beginnings of k-means.
    memory : int or None
        Bytes that may be taken.
    offline : bool
        Never touch the network.
    escape_formulas : bool
        In CSV that is saved from the map.
    learnt : bool
        Whether the network that made the rows was trained on the labels of the training part. A
        search among those would flatter, so that it is scored among the held-out images alone; and
        rows of one class are near each other, and no near-duplicates for that.
    """

    map: bool
    clusters: bool
    outliers: bool
    duplicates: bool
    retrieval: bool
    near: float = 0.95
    seed: int = 0
    memory: int | None = None
    offline: bool = False
    escape_formulas: bool = False
    learnt: bool = False


@dataclass(frozen=True, kw_only=True)
class Collection:
    """What was found; None of what was not looked for, or could not be had.

    Attributes
    ----------
    retrieval : SearchScores or None
    duplicates : Duplicates or None
    clusters : Clustering or None
    clustered : Features or None
        The rows of the clusters.
    outliers : Outliers or None
    map : MapBlock or None
    """

    retrieval: SearchScores | None = None
    duplicates: Duplicates | None = None
    clusters: Clustering | None = None
    clustered: Features | None = None
    outliers: Outliers | None = None
    map: MapBlock | None = None


def look_at(
    made: Classified,
    looks: Looks,
    course: Course,
    *,
    title: str,
    open_image: Callable[[str], bytes | None],
) -> Collection:
    """Look at rows in all the ways that were asked for.

    Parameters
    ----------
    made : the rows, and what a classifier says of them
    looks : what is asked for
    course : of the report
    title : what files that are saved from the map are named after
    open_image : from an id to the image file's bytes
    """
    found = Collection()
    features = made.features
    nearest = NearestRows(
        features=features,
        held_out=made.held_out,
        split=None if looks.learnt else made.split,
        threshold=looks.near,
        seed=looks.seed,
        memory=looks.memory,
        offline=looks.offline,
    )
    # Without classes to tell apart, no search is right or wrong.
    if looks.retrieval and not (made.untrained or not features.labelled):
        with course.noted("retrieval"):
            searched = nearest
            if looks.learnt and made.split is not None:
                searched = replace(nearest, features=features.take(made.split.held_out))
            found = replace(found, retrieval=searched.retrieval(course.tell))
    if looks.duplicates:
        with course.noted("duplicates"):
            found = replace(found, duplicates=nearest.duplicates())
    some = _drawn(features, looks.seed) if looks.clusters or looks.outliers else features
    if looks.clusters:
        with course.noted("clusters"):
            clusters = _clusters(some, looks.seed, course.tell)
            found = replace(found, clusters=clusters, clustered=some)
    if looks.outliers:
        with course.noted("outliers"):
            found = replace(found, outliers=_outliers(some, open_image, course.tell))
    if looks.map:
        with course.noted("map"):
            found = replace(found, map=_map(made, found, looks, course.tell, title, open_image))
    return found


def _drawn(features: Features, seed: int) -> Features:
    if len(features) <= MOST_CLUSTERED:
        return features
    drawn = np.random.default_rng(seed).permutation(len(features))[:MOST_CLUSTERED]
    return features.take(np.sort(drawn))


def _clusters(features: Features, seed: int, tell: Tell) -> Clustering:
    require_clustering("kmeans", rows=len(features), k=None, min_cluster_size=None, seed=seed)
    return make_clusters(
        features,
        method="kmeans",
        k=None,
        min_cluster_size=None,
        metric="cosine",
        seed=seed,
        tell=tell,
    )


def _outliers(
    features: Features, open_image: Callable[[str], bytes | None], tell: Tell
) -> Outliers:
    require_reference(features, None, None)
    return find_outliers(
        features, reference=None, k=None, metric="cosine", open_image=open_image, tell=tell
    )


def _map(
    made: Classified,
    found: Collection,
    looks: Looks,
    tell: Tell,
    title: str,
    open_image: Callable[[str], bytes | None],
) -> MapBlock:
    row_map = make_map(
        made.features,
        method="tsne",
        metric="cosine",
        perplexity=None,
        neighbors=None,
        seed=looks.seed,
        fit_on=None,
        sample=MOST_MAPPED,
        tell=tell,
    )
    columns = map_columns(
        row_map,
        made,
        clusters=found.clusters,
        outliers=found.outliers,
        duplicates=found.duplicates,
    )
    return map_block(
        row_map,
        made.features,
        title,
        open_image,
        tell,
        columns=columns,
        most_points=MOST_MAPPED,
        most_bytes=MAP_BYTES,
        page="the map of a report",
        notes=column_notes(made, columns),
        joined={*row_map.joined, *["predicted"] * _gives_several(made)},
        escape_formulas=looks.escape_formulas,
    )


def _gives_several(made: Classified) -> bool:
    """Whether what is predicted for an image may be several labels."""
    if made.predictions is None or made.classifier is None:
        return False
    return made.classifier.thresholds is not None

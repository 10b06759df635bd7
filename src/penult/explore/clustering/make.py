"""Clusters of the rows of features, with their scores, medoids and names."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from penult.arguments import require_seed
from penult.errors import UsageError
from penult.explore.clustering.agglomerative import MergeTree
from penult.explore.clustering.agreement import label_counts, measure_agreement
from penult.explore.clustering.choose import best_clusters, numbers_of_clusters
from penult.explore.clustering.hdbscan import MIN_CLUSTER_SIZE, hdbscan
from penult.explore.clustering.kmeans import kmeans
from penult.explore.clustering.means import davies_bouldin, measure_means
from penult.explore.clustering.numbering import by_size
from penult.explore.clustering.silhouette import Silhouettes
from penult.explore.components import COMPONENTS, find_components
from penult.explore.part import MapRows
from penult.explore.scaled import scaled
from penult.interface import option
from penult.progress import announce
from penult.records import Cluster, ClusterCount, Clustering
from penult.wording import count

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.progress import Tell
    from penult.records import Features
    from penult.records.neighbors import Metric

__all__ = ["ClusteringMethod", "make_clusters", "require_clustering"]

ClusteringMethod = Literal["kmeans", "hdbscan", "agglomerative"]

MOST_ROWS = {"agglomerative": 10_000, "hdbscan": 50_000}
"""Rows that a method takes at most: the time of both, and the memory of the first, grow with the
square of them."""


def require_clustering(
    method: ClusteringMethod,
    *,
    rows: int,
    k: int | str | Sequence[int] | None,
    min_cluster_size: int | None,
    seed: int,
) -> None:
    """Refuse what a method cannot do, before any row is read.

    Raises
    ------
    UsageError
        If there are too few or too many rows for it, or options of another method.
    """
    if rows < 2:
        raise UsageError(f"{count(rows, 'row')} cannot be clustered; give features of more images")
    require_seed(seed)
    if method == "hdbscan":
        if k is not None:
            raise UsageError(
                f"{option('method', 'hdbscan')} finds how many clusters there are, and takes no "
                f"{option('k')}; give {option('min_cluster_size')}, or another method"
            )
        if min_cluster_size is not None and not 2 <= min_cluster_size <= rows:
            raise UsageError(
                f"{option('min_cluster_size')} is {min_cluster_size:,}; allowed for "
                f"{count(rows, 'row')}: 2 to {rows:,}"
            )
    else:
        if min_cluster_size is not None:
            raise UsageError(
                f"{option('min_cluster_size')} is for {option('method', 'hdbscan')}; leave one out"
            )
        numbers_of_clusters(k, rows)
    if rows > MOST_ROWS.get(method, rows):
        raise UsageError(
            f"{option('method', method)} takes {count(MOST_ROWS[method], 'row')} at most, for it "
            f"compares each with all others, and these are {rows:,}; give "
            f"{option('method', 'kmeans')}"
        )


def make_clusters(
    features: Features,
    *,
    method: ClusteringMethod,
    k: int | str | Sequence[int] | None,
    min_cluster_size: int | None,
    metric: Metric,
    seed: int,
    tell: Tell,
) -> Clustering:
    """Cluster rows and measure how good that is; see `penult.cluster`.

    Methods see the rows' first 50 principal components; all that is measured is measured in the
    full space.

    Raises
    ------
    UsageError, TrainingError
    """
    n = len(features)
    rows = _components(features, metric, tell)
    announce("distances", brief=True)
    silhouettes = Silhouettes(features, metric)
    params: dict[str, Any] = {"seed": seed}
    curve: tuple[ClusterCount, ...] = ()
    if method == "hdbscan":
        least = min(n, MIN_CLUSTER_SIZE) if min_cluster_size is None else min_cluster_size
        params = {"min_cluster_size": least}
        announce("HDBSCAN", brief=n < 5_000)
        assignments = by_size(hdbscan(rows, min_cluster_size=least))
    else:
        make: Callable[[int], NDArray[np.int64]]
        if method == "kmeans":
            make = lambda k: kmeans(rows, k, seed=seed)  # noqa: E731
        else:
            params = {"linkage": "ward"}
            announce("agglomerative clustering", brief=n < 2_000)
            make = MergeTree(rows).cut
        numbers = numbers_of_clusters(k, n)
        assignments, curve = best_clusters(make, numbers, silhouettes, tell)
        _warn_of_fewer(assignments, numbers)
    found = measure_means(features, assignments, metric, tell)
    places, values = silhouettes.of(assignments)
    inside = int((assignments >= 0).sum())
    return Clustering(
        ids=tuple(map(str, features.ids)),
        assignments=assignments,
        distances=found.distances,
        clusters=_clusters(features, assignments, found.distances, places, values),
        method=method,
        params=params,
        metric=metric,
        layer=features.name,
        silhouette=float(values.mean()) if len(values) else None,
        silhouette_rows=len(values),
        davies_bouldin=davies_bouldin(found) if len(found.spreads) < inside else None,
        agreement=measure_agreement(assignments, features.labels),
        curve=curve,
    )


def _components(features: Features, metric: Metric, tell: Tell) -> NDArray[np.float32]:
    n = len(features)
    whole = MapRows(np.arange(n), np.ones(n, bool))
    return scaled(find_components(features, whole, metric, COMPONENTS, tell).rows)[0]


def _warn_of_fewer(assignments: NDArray[np.int64], numbers: range) -> None:
    found = int(assignments.max()) + 1
    if len(numbers) == 1 and found < numbers[0]:
        logging.getLogger("penult").warning(
            "penult: %s of the %s asked for are left: no more rows differ",
            *(count(found, "cluster"), f"{numbers[0]:,}"),
        )


def _clusters(
    features: Features,
    assignments: NDArray[np.int64],
    distances: NDArray[np.float32],
    measured: NDArray[np.int64],
    silhouettes: NDArray[np.float64],
) -> tuple[Cluster, ...]:
    sizes = np.bincount(assignments[assignments >= 0])
    labels = label_counts(assignments, features.labels)
    # The row nearest to each mean; of equal ones, the first.
    order = np.lexsort((distances, assignments))
    order = order[assignments[order] >= 0]
    medoids = order[np.cumsum(sizes) - sizes]
    of = assignments[measured]
    sampled = np.bincount(of, minlength=len(sizes))
    sums = np.bincount(of, weights=silhouettes, minlength=len(sizes))
    clusters = []
    for number, size in enumerate(sizes.tolist()):
        counts = labels[number]
        labelled = int(counts.sum())
        most = int(counts.argmax()) if labelled else None
        clusters.append(
            Cluster(
                number=number,
                size=size,
                medoid=str(features.ids[medoids[number]]),
                silhouette=float(sums[number] / sampled[number]) if sampled[number] else None,
                label=None if most is None else str(features.label_names[most]),
                share=None if most is None else float(counts[most] / labelled),
                labelled=labelled,
            )
        )
    return tuple(clusters)

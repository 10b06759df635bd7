"""The clusters: how large each is, its medoid, and pictures from its middle to its edge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from penult.records import Cluster
from penult.reporting.cluster_sections.content import ClustersContent
from penult.web.section import LARGE, SMALL, Section
from penult.web.thumbnails import Thumbnails

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CLUSTERS", "clusters_content"]

MOST_CLUSTERS = 60
"""Clusters with pictures, the largest."""

MOST_NAMED = 1_000
"""Clusters on the page, with pictures or without."""

PICTURES = 11
"""Of a cluster, beside its medoid: rows of 3, 4 or 6 are full."""

_LABELS = 4


@dataclass(frozen=True, kw_only=True)
class _Picture:
    id: str
    address: str | None
    label: str | None
    other: bool


@dataclass(frozen=True, kw_only=True)
class _Pictured:
    cluster: Cluster | None
    is_named: bool
    size: int
    medoid: _Picture | None
    examples: list[_Picture]
    labels: list[tuple[str, int]]
    other_labels: int


def _content(shown: ClustersContent, thumbnails: Thumbnails) -> Mapping[str, Any]:
    return clusters_content(shown, thumbnails, most=MOST_CLUSTERS, pictures=PICTURES)


def clusters_content(
    shown: ClustersContent,
    thumbnails: Thumbnails,
    *,
    most: int,
    pictures: int,
) -> dict[str, Any]:
    """Give the template of clusters what it shows.

    Parameters
    ----------
    shown : ClustersContent
        The clusters.
    thumbnails : Thumbnails
        What makes the pictures.
    most : int
        Clusters with pictures.
    pictures : int
        Of each, beside its medoid.
    """
    found = shown.clustering
    order = np.lexsort((found.distances, found.assignments))
    starts = np.searchsorted(found.assignments[order], np.arange(found.k + 1))
    members = [order[first:last] for first, last in pairwise(starts.tolist())]
    noise = np.flatnonzero(found.assignments < 0)
    pictured = [
        _pictured(shown, thumbnails, one, members[one.number], pictures)
        for one in found.clusters[:most]
    ]
    return {
        "pictured": pictured,
        "noise": _pictured(shown, thumbnails, None, noise, pictures) if len(noise) else None,
        "others": [(one, thumbnails(one.medoid, SMALL)) for one in found.clusters[most:MOST_NAMED]],
        "left_out": max(0, found.k - MOST_NAMED),
        "labelled": found.agreement is not None,
        "steps": pictures,
    }


def _pictured(
    shown: ClustersContent,
    thumbnails: Thumbnails,
    cluster: Cluster | None,
    members: NDArray[np.intp],
    pictures: int,
) -> _Pictured:
    """A cluster, or noise, whose `members` are in the order of their distance from its mean."""
    counts = np.bincount(shown.labels[members] + 1, minlength=len(shown.label_names) + 1)[1:]
    ranked = [k for k in np.argsort(-counts, kind="stable").tolist() if counts[k]]

    def picture(row: int, side: int) -> _Picture:
        one, label = str(shown.clustering.ids[row]), int(shown.labels[row])
        name = str(shown.label_names[label]) if label >= 0 else None
        other = _is_named(cluster) and name not in (None, cluster.label)
        return _Picture(id=one, address=thumbnails.photo(one, side), label=name, other=other)

    # A copy beside the same picture shows nothing.
    firsts = np.sort(np.unique(shown.contents[members], return_index=True)[1])
    rest = members[firsts] if cluster is None else members[firsts[1:]]
    steps = np.linspace(0, len(rest) - 1, min(pictures, len(rest))).round().astype(int)
    return _Pictured(
        cluster=cluster,
        is_named=_is_named(cluster),
        size=len(members),
        medoid=None if cluster is None else picture(int(members[0]), LARGE),
        examples=[picture(row, LARGE) for row in rest[steps].tolist()],
        labels=[(str(shown.label_names[k]), int(counts[k])) for k in ranked[:_LABELS]],
        other_labels=max(0, len(ranked) - _LABELS),
    )


def _is_named(cluster: Cluster | None) -> TypeGuard[Cluster]:
    return cluster is not None and cluster.is_named


CLUSTERS = Section[ClustersContent](name="clusters", title="Clusters", content=_content)

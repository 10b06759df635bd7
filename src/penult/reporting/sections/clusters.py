"""The images in clusters, found without looking at labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penult.interface import as_argument, shell_quote
from penult.reporting.cluster_sections import ClustersContent
from penult.reporting.cluster_sections.clusters import clusters_content
from penult.reporting.content import Report
from penult.reporting.sections.base import Section
from penult.web.thumbnails import Thumbnails

__all__ = ["SECTION"]

MOST_CLUSTERS, PICTURES = 30, 5  # with pictures; of each, beside its medoid


def _content(report: Report, thumbnails: Thumbnails) -> Mapping[str, Any] | None:
    shown, note = report.clusters, report.notes.get("clusters")
    if shown is None:
        return {"note": note} if note else None
    rows = report.images - len(report.failures)
    return {
        "note": None,
        "clustering": shown.clustering,
        "another": _another(shown),
        "sampled": rows if len(shown.clustering) < rows else None,
        **clusters_content(shown, thumbnails, most=MOST_CLUSTERS, pictures=PICTURES),
    }


def _another(shown: ClustersContent) -> str:
    """What to type for another number of clusters, the next best; "" where no other was tried."""
    found = shown.clustering
    others = [(one.silhouette, -one.k) for one in found.curve if one.silhouette is not None]
    others = [one for one in others if one[1] != -found.k]
    if not others:
        return ""
    number = str(-max(others)[1])
    words = ["penult", "cluster", as_argument(shown.file), "--layer", found.layer, "-k", number]
    return " ".join(map(shell_quote, [*words, "-o", "clusters.html"]))


SECTION = Section(name="clusters", title="Clusters", content=_content)

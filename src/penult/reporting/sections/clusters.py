"""The images in clusters, found without looking at labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
        "sampled": rows if len(shown.clustering) < rows else None,
        **clusters_content(shown, thumbnails, most=MOST_CLUSTERS, pictures=PICTURES),
    }


SECTION = Section(name="clusters", title="Clusters", content=_content)

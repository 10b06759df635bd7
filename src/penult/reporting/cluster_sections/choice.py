"""How the number of clusters was chosen: the silhouette of each that was tried."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penult.reporting.cluster_sections.content import ClustersContent
from penult.reporting.figures.charts import silhouette_chart
from penult.reporting.figures.export import to_svg
from penult.web.section import Section
from penult.web.thumbnails import Thumbnails

__all__ = ["CHOICE"]


def _content(shown: ClustersContent, thumbnails: Thumbnails) -> Mapping[str, Any] | None:
    found = shown.clustering
    if not found.choice_line:
        return None
    return {
        "line": found.choice_line,
        "chart": to_svg(silhouette_chart(found.curve, found.k)),
        "curve": found.curve,
        "k": found.k,
    }


CHOICE = Section[ClustersContent](
    name="choice", title="How many clusters", tab="How many", content=_content
)

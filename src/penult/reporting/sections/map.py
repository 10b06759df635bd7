"""The images on a map, those that look alike to the network near each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penult.reporting.content import Report
from penult.reporting.sections.base import Section
from penult.web.thumbnails import Thumbnails

__all__ = ["SECTION"]


def _content(report: Report, thumbnails: Thumbnails) -> Mapping[str, Any] | None:
    from markupsafe import Markup

    block, note = report.map, report.notes.get("map")
    if block is None:
        return {"note": note} if note else None
    rows = report.images - len(report.failures)
    return {
        "note": None,
        "block": block,
        # What was drawn here is another part than that of `penult map`.
        "sampled": rows if len(block.row_map) < rows else None,
        "data": Markup(block.data),
    }


SECTION = Section(name="map", title="Map", content=_content)

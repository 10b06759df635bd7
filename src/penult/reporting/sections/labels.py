"""Images whose labels are likely wrong, the likeliest first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penult.reporting.content import Report
from penult.reporting.sections.base import LARGE, Section
from penult.web.thumbnails import Thumbnails

__all__ = ["SECTION"]

MOST_ISSUES = 48


def _content(report: Report, thumbnails: Thumbnails) -> Mapping[str, Any] | None:
    """Show the images whose labels are likely wrong, the likeliest first."""
    trained = report.trained
    if trained is None:
        return None
    note = report.notes.get("labels")
    if trained.label_issues is None:
        if not (note or report.contradictions):
            return None
        return {"note": note, "contradictions": report.contradictions, "total": None}
    return {
        "contradictions": report.contradictions,
        "note": None,
        "shown": [(i, thumbnails.photo(i.id, LARGE)) for i in trained.label_issues[:MOST_ISSUES]],
        "total": len(trained.label_issues),
        "labelled": sum(report.class_counts.values()),
    }


SECTION = Section(name="labels", title="Likely label errors", content=_content, tab="Label errors")

"""Images that are unlike the others, and pictures that are odd."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penult.reporting.content import Report
from penult.reporting.outlier_sections import issue_content, unusual_content
from penult.reporting.sections.base import Section
from penult.web.thumbnails import Thumbnails

__all__ = ["SECTION"]

MOST_UNUSUAL, MOST_ODD = 12, 6  # images of the first, and of each kind of the second
NEXT = 6  # where none is unusual


def _content(report: Report, thumbnails: Thumbnails) -> Mapping[str, Any] | None:
    found, note = report.outliers, report.notes.get("outliers")
    if found is None:
        return {"note": note} if note else None
    rows = report.images - len(report.failures)
    following = 0 if len(found.unusual) else NEXT
    return {
        "note": None,
        "sampled": rows if len(found) < rows else None,
        "unusual": unusual_content(found, thumbnails, most=MOST_UNUSUAL, following=following),
        "odd": [
            issue_content(issue, thumbnails, most=MOST_ODD)
            for issue in found.issues
            if not issue.common
        ],
        "outliers": found,
    }


SECTION = Section(name="outliers", title="Outliers", content=_content)

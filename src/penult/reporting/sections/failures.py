"""Images that could not be read, or are not there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penult.records.failure import failure_counts
from penult.reporting.content import Report
from penult.reporting.sections.base import Section
from penult.web.thumbnails import Thumbnails

__all__ = ["SECTION"]


def _content(report: Report, thumbnails: Thumbnails) -> Mapping[str, Any] | None:
    if not report.failures:  # what was passed over stands in "How it was made"
        return None
    return {
        "failures": report.failures,
        "counts": failure_counts(report.failures),
    }


SECTION = Section(
    name="failures", title="Images without a row", content=_content, tab="Without a row"
)

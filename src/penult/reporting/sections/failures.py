"""Images that could not be read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penult.reporting.content import Report
from penult.reporting.sections.base import Section
from penult.web.thumbnails import Thumbnails

__all__ = ["SECTION"]


def _content(report: Report, thumbnails: Thumbnails) -> Mapping[str, Any] | None:
    if not report.failures:  # what was passed over stands in "How it was made"
        return None
    return {
        "failures": report.failures,
    }


SECTION = Section(
    name="failures", title="Images that could not be read", content=_content, tab="Unreadable"
)

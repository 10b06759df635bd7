"""Images that could not be read, and files that are no images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penult.reporting.content import Report
from penult.reporting.sections.base import Section
from penult.web.thumbnails import Thumbnails

__all__ = ["SECTION"]


def _content(report: Report, thumbnails: Thumbnails) -> Mapping[str, Any]:
    return {
        "failures": report.failures,
        "passed_over": report.passed_over,
        "listing_messages": report.listing_messages,
    }


SECTION = Section(name="failures", title="Files left out", content=_content, tab="Left out")

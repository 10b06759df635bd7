"""The accuracy against the training images a class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penult.reporting.content import Report
from penult.reporting.figures.charts import curve_chart
from penult.reporting.figures.export import to_svg
from penult.reporting.findings.more_photos import is_flat, more_photos
from penult.reporting.sections.base import Section
from penult.web.thumbnails import Thumbnails

__all__ = ["SECTION"]


def _content(report: Report, thumbnails: Thumbnails) -> Mapping[str, Any] | None:
    """Show the accuracy against the training images a class; of a flat line, its numbers alone."""
    curve = () if report.trained is None else report.trained.curve
    if not curve:
        return None
    finding = more_photos(report)
    return {
        "finding": finding and finding.text,
        "flat": is_flat(curve),
        "points": curve,
        "chart": None if is_flat(curve) else to_svg(curve_chart(curve), "curve"),
    }


SECTION = Section(
    name="curve", title="Would more photos help?", content=_content, tab="More photos"
)

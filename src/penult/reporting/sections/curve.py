"""The accuracy against the training images a class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penult.reporting.content import Report
from penult.reporting.figures.charts import curve_chart
from penult.reporting.figures.export import to_svg
from penult.reporting.sections.base import Section
from penult.web.thumbnails import Thumbnails

__all__ = ["SECTION"]


def _content(report: Report, thumbnails: Thumbnails) -> Mapping[str, Any] | None:
    """Show the accuracy against the training images a class."""
    trained = report.trained
    if trained is None:
        return None
    note = report.notes.get("curve")
    if not trained.curve:
        return {"note": note} if note else None
    last = trained.curve[-1]
    halves = [point for point in trained.curve if 2 * point.per_class <= last.per_class]
    return {
        "note": None,
        "points": trained.curve,
        "chart": to_svg(curve_chart(trained.curve), "curve"),
        "before": halves[-1] if halves else None,
        "gain": 100 * (last.mean - halves[-1].mean) if halves else None,
    }


SECTION = Section(name="curve", title="Learning curve", content=_content)

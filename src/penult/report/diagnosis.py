"""What the sections on labels, on more images and on layers show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from penult.report.charts import curve_chart, layers_chart, to_svg

if TYPE_CHECKING:
    from penult.report.content import Report
    from penult.report.thumbnails import Thumbnails

__all__ = ["fill_curve", "fill_labels", "fill_layers"]

LARGE = 224  # pixels of a thumbnail, as for mistakes
MOST_ISSUES = 48


def fill_labels(report: Report, thumbnails: Thumbnails) -> Mapping[str, Any] | None:
    """Show the images whose labels are likely wrong, the likeliest first."""
    note = report.notes.get("labels")
    if report.label_issues is None:
        return {"note": note} if note else None
    return {
        "note": None,
        "shown": [(i, thumbnails(i.id, LARGE)) for i in report.label_issues[:MOST_ISSUES]],
        "total": len(report.label_issues),
        "labelled": sum(report.class_counts.values()),
    }


def fill_curve(report: Report, thumbnails: Thumbnails) -> Mapping[str, Any] | None:
    """Show the accuracy against the training images a class."""
    note = report.notes.get("curve")
    if not report.curve:
        return {"note": note} if note else None
    last = report.curve[-1]
    halves = [point for point in report.curve if 2 * point.per_class <= last.per_class]
    return {
        "note": None,
        "points": report.curve,
        "chart": to_svg(curve_chart(report.curve)),
        "before": halves[-1] if halves else None,
        "gain": 100 * (last.mean - halves[-1].mean) if halves else None,
    }


def fill_layers(report: Report, thumbnails: Thumbnails) -> Mapping[str, Any] | None:
    """Show the accuracy of each layer's probe."""
    if len(report.layers) < 2:
        return None
    chosen = report.recipe.layer
    score = "mean average precision" if report.several else "accuracy"
    return {
        "chosen": chosen,
        "chart": to_svg(layers_chart(report.layers, chosen, score=score)),
        "score": score,
    }

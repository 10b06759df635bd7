"""The accuracy of a probe on each layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penult.reporting.content import Report
from penult.reporting.figures.charts import layers_chart
from penult.reporting.figures.export import to_svg
from penult.reporting.sections.base import Section
from penult.web.thumbnails import Thumbnails

__all__ = ["SECTION"]


def _content(report: Report, thumbnails: Thumbnails) -> Mapping[str, Any] | None:
    """Show the accuracy of each layer's probe."""
    trained = report.trained
    if trained is None or len(trained.layers) < 2:
        return None
    chosen = trained.chosen
    score = "mean average precision" if trained.multilabel else "accuracy"
    return {
        "chosen": chosen,
        "chart": to_svg(layers_chart(trained.layers, chosen, score=score), "layers"),
        "score": score,
    }


SECTION = Section(name="layers", title="Layers", content=_content)

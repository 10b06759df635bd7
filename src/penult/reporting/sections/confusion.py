"""The confusion matrix as a table, or as a drawing where it has many classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penult.reporting.class_order import LABEL_ORDER_UP_TO
from penult.reporting.content import Report
from penult.reporting.matrix_drawing import draw_matrix
from penult.reporting.sections.base import Section
from penult.web.thumbnails import Thumbnails

__all__ = ["SECTION"]

NAMED_UP_TO = 80  # classes; of more the rows are too narrow for a name each


def _content(report: Report, thumbnails: Thumbnails) -> Mapping[str, Any] | None:
    trained = report.trained
    if trained is None or not trained.scores.confusion:
        return None
    labels = [c.label for c in trained.scores.classes]
    if len(labels) > LABEL_ORDER_UP_TO:
        drawing = draw_matrix(trained.scores)
        return {
            "drawing": drawing,
            "labels": [labels[k] for k in drawing.order],
            "named": len(labels) <= NAMED_UP_TO,
        }
    rows = [
        (labels[i], [(n, (n / max(sum(counts), 1)) ** 0.5) for n in counts])
        for i, counts in enumerate(trained.scores.confusion)
    ]
    return {
        "drawing": None,
        "labels": labels,
        "rows": rows,
        "flat": all(len(label) <= 4 for label in labels),
    }


SECTION = Section(name="confusion", title="Confusion matrix", content=_content, tab="Confusion")

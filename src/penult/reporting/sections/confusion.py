"""The confusion matrix as a table, or as a picture where it has many classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penult.reporting.content import Report
from penult.reporting.sections.base import Section
from penult.web.thumbnails import Thumbnails

__all__ = ["SECTION"]

TABLE_UP_TO = 30  # classes; beyond, the confusion matrix is a picture


def _content(report: Report, thumbnails: Thumbnails) -> Mapping[str, Any] | None:
    trained = report.trained
    if trained is None or not trained.scores.confusion:
        return None
    classes = trained.scores.classes
    rows = [
        (classes[i].label, [(n, (n / max(sum(counts), 1)) ** 0.5) for n in counts])
        for i, counts in enumerate(trained.scores.confusion)
    ]
    return {
        "labels": [c.label for c in classes],
        "rows": rows,
        "table": len(rows) <= TABLE_UP_TO,
        "flat": all(len(c.label) <= 4 for c in classes),
    }


SECTION = Section(name="confusion", title="Confusion matrix", content=_content, tab="Confusion")

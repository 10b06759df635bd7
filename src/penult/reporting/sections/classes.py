"""Each class with its scores and an example."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penult.reporting.content import Report
from penult.reporting.misclassified import class_examples
from penult.reporting.sections.base import SMALL, Section
from penult.web.thumbnails import Thumbnails

__all__ = ["SECTION"]

EXAMPLES_UP_TO = 300  # classes with a picture each, which bounds the page's size


def _content(report: Report, thumbnails: Thumbnails) -> Mapping[str, Any] | None:
    trained = report.trained
    if trained is None:
        return None
    pictured = len(trained.scores.classes) <= EXAMPLES_UP_TO
    examples = class_examples(trained.held_out) if pictured and not trained.multilabel else {}
    rows = [
        {
            "score": score,
            "images": report.class_counts.get(score.label, 0),
            "example": thumbnails(examples[score.label], SMALL)
            if score.label in examples
            else None,
        }
        for score in trained.scores.classes
    ]
    return {
        "rows": rows,
        "images": report.images - len(report.failures) - report.unlabelled
        if trained.multilabel
        else sum(report.class_counts.values()),
        "pictured": any(row["example"] for row in rows),
        "averages": [
            (name, average)
            for name, average in (
                ("mean of the classes", trained.scores.macro),
                ("weighted by held-out images", trained.scores.weighted),
            )
            if average is not None
        ],
        # Of several labels an image, all of them right is another matter than one of them.
        "low": (
            trained.scores.accuracy if trained.scores.micro is None else trained.scores.micro.f1
        )
        - 0.05,
    }


SECTION = Section(name="classes", title="Classes", content=_content)

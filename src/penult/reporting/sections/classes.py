"""Each class with its scores and an example, the worst first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import ceil
from typing import Any

from penult.records import Average, ClassScore
from penult.reporting.content import Report
from penult.reporting.misclassified import class_examples, misclassified
from penult.reporting.sections.base import EXAMPLE, SMALL, Section
from penult.web.thumbnails import Thumbnails

__all__ = ["SECTION"]

EXAMPLES_UP_TO = 300  # classes with a picture each, which bounds the page's size
LARGE_EXAMPLES = 60  # of classes that have mistakes, beside which they are shown


def _content(report: Report, thumbnails: Thumbnails) -> Mapping[str, Any] | None:
    trained = report.trained
    if trained is None:
        return None
    classes = trained.scores.classes
    pictured = len(classes) <= EXAMPLES_UP_TO and not trained.multilabel
    examples = class_examples(trained.held_out) if pictured else {}
    wrong = [] if trained.multilabel else misclassified(trained.held_out)
    confused = list(dict.fromkeys(name for m in wrong for name in (m.truth, m.predicted)))
    large = set(confused[:LARGE_EXAMPLES])
    rows = []
    for place in sorted(range(len(classes)), key=lambda k: _worst_first(classes[k])):
        score = classes[place]
        example, picture = examples.get(score.label), None
        if example is not None:
            side = EXAMPLE if score.label in large else SMALL
            picture = thumbnails.whole(example.id, side)
        rows.append(
            {
                "score": score,
                "images": report.class_counts.get(score.label, 0),
                "example": None if picture is None else picture.address,
                "right": example is not None and example.right,
                # Its place among the labels, by which the page's filters know it.
                "filter": f"class={place}" if score.label in confused else None,
                "place": place,
            }
        )
    return {
        "rows": rows,
        "start": _start(classes),
        "images": report.images - len(report.failures) - report.unlabelled
        if trained.multilabel
        else sum(report.class_counts.values()),
        "pictured": any(row["example"] for row in rows),
        "averages": [
            (name, average)
            for name, average in (
                ("mean of the classes", trained.scores.macro and _mean(classes)),
                (f"weighted by {report.scored_image}s", trained.scores.weighted),
            )
            if average is not None
        ],
        # Of several labels an image, all of them right is another matter than one of them.
        "low": (
            trained.scores.accuracy if trained.scores.micro is None else trained.scores.micro.f1
        )
        - 0.05,
    }


def _worst_first(score: ClassScore) -> tuple[Any, ...]:
    """Put the lowest F1 first, and classes of which nothing was held out last."""
    return (not score.support, score.f1, score.recall, score.label)


def _mean(classes: Iterable[ClassScore]) -> Average:
    """Their mean without those that have no image here, which a reader would take for failures."""
    scored = [(one.precision, one.recall, one.f1) for one in classes if one.support]
    return Average(*(sum(column) / len(scored) for column in zip(*scored, strict=True)))


def _start(classes: Iterable[ClassScore]) -> float:
    """Where the bars begin: the tenth below the smallest value, so that every value has a bar."""
    values = [v for c in classes if c.support for v in (c.precision, c.recall, c.f1)]
    return max(0, ceil(10 * min(values, default=0.0) - 1e-9) - 1) / 10


SECTION = Section(name="classes", title="Classes", content=_content)

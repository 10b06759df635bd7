"""The sections of the page, in order: each is a name, a title, what fills it, and a template.

To add one (a map, say), add what it shows to `Report`, write its
`fill` function and `templates/sections/NAME.html`, and put a `Section` into `SECTIONS`. The
page's navigation, headings and anchors follow from that list; no other section is touched. A `fill`
that returns None leaves its section out, so one that needs what a run did not make just vanishes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from penult.report.content import Report
from penult.report.diagnosis import fill_curve, fill_labels, fill_layers
from penult.report.formatting import percent, ratio
from penult.report.thumbnails import Thumbnails

__all__ = ["SECTIONS", "Section"]

TABLE_UP_TO = 30  # classes; beyond, the confusion matrix is a picture
EXAMPLES_UP_TO = 300  # classes with a picture each, which bounds the page's size
SMALL, LARGE = 96, 224  # pixels; shown at half that, for sharp screens
MOST_PAIRS, MOST_PER_PAIR = 6, 7
MOST_MISTAKES = 48
MEASURES = ("accuracy", "log_loss")  # of a candidate; all else are its parameters


@dataclass(frozen=True)
class Section:
    """One part of the page.

    Attributes
    ----------
    name : its anchor, and its template's name
    title : its heading
    fill : makes what its template shows, or None to leave the section out
    tab : its entry in the navigation, where the title is too long for it
    """

    name: str
    title: str
    fill: Callable[[Report, Thumbnails], Mapping[str, Any] | None]
    tab: str = ""


@dataclass(frozen=True)
class Mistake:
    """A held-out image that was put into the wrong class."""

    id: str
    truth: str
    predicted: str
    probability: float


def mistakes(report: Report) -> list[Mistake]:
    """Every held-out image put into the wrong class, most confident first."""
    held_out = report.held_out
    wrong = [
        Mistake(*row)
        for row in zip(
            held_out.ids, held_out.truth, held_out.predicted, held_out.probability, strict=True
        )
        if row[1] != row[2]
    ]
    return sorted(wrong, key=lambda m: (-m.probability, m.id))


def _examples(report: Report) -> dict[str, str]:
    """Class name to a held-out image of it: the surest of those put right, else of the others."""
    held_out = report.held_out
    rows = zip(held_out.truth, held_out.predicted, held_out.probability, held_out.ids, strict=True)
    ranked = sorted(rows, key=lambda row: (row[0] == row[1], row[2]))
    return {truth: image_id for truth, _, _, image_id in ranked}  # the last of a class wins


def _fill_classes(report: Report, thumbnails: Thumbnails) -> Mapping[str, Any]:
    pictured = len(report.scores.classes) <= EXAMPLES_UP_TO
    examples = _examples(report) if pictured and not report.several else {}
    rows = [
        {
            "score": score,
            "images": report.class_counts.get(score.label, 0),
            "example": thumbnails(examples[score.label], SMALL)
            if score.label in examples
            else None,
        }
        for score in report.scores.classes
    ]
    return {
        "rows": rows,
        "pictured": any(row["example"] for row in rows),
        "averages": [
            (name, average)
            for name, average in (
                ("mean of the classes", report.scores.macro),
                ("weighted by held-out images", report.scores.weighted),
            )
            if average is not None
        ],
        # Of several labels an image, all of them right is another matter than one of them.
        "low": (report.scores.accuracy if report.scores.micro is None else report.scores.micro.f1)
        - 0.05,
    }


def _fill_scores(report: Report, thumbnails: Thumbnails) -> Mapping[str, Any] | None:
    scores = report.scores
    rows = [
        *_optional(
            scores.mean_average_precision,
            "Mean average precision",
            _in_percent,
            "of the labels, each by its own ranking of the images",
        ),
        (
            "Every label right" if report.several else "Accuracy",
            percent(scores.accuracy, 2),
            "images with no label missing or wrong"
            if report.several
            else "images put into their class",
        ),
        *[
            (f"{name} F1", ratio(average.f1), meaning)
            for name, average, meaning in (
                ("Micro", scores.micro, "every label of every image counting the same"),
                (
                    "Macro",
                    scores.macro if report.several else None,
                    "every label counting the same",
                ),
            )
            if average is not None
        ],
        *_optional(
            scores.interval, "95% interval", _span, "of that, by Clopper and Pearson's exact method"
        ),
        *_optional(scores.top5, "Top-5 accuracy", _in_percent, "class among the five likeliest"),
        *_optional(scores.balanced_accuracy, "Balanced accuracy", _in_percent, "mean recall"),
        *_optional(scores.soft_f1, "Soft F1", ratio, "macro F1 on probabilities; 1 is best"),
        *_optional(scores.log_loss, "Log-loss", _three, "in nats; 0 is best"),
        *_optional(
            scores.calibration_error,
            "Calibration error",
            _three,
            "how far a stated probability is from being right as often; 0 is best",
        ),
    ]
    return {"rows": rows} if len(rows) > 1 else None


def _optional(
    value: Any, name: str, write: Callable[[Any], str], meaning: str
) -> list[tuple[str, str, str]]:
    return [] if value is None else [(name, write(value), meaning)]


def _in_percent(share: float) -> str:
    return percent(share, 2)


def _three(value: float) -> str:
    return f"{value:.3f}"


def _span(interval: tuple[float, float]) -> str:
    return f"{percent(interval[0])} to {percent(interval[1])}"


def _fill_confusion(report: Report, thumbnails: Thumbnails) -> Mapping[str, Any] | None:
    if not report.scores.confusion:
        return None
    classes = report.scores.classes
    rows = [
        (classes[i].label, [(n, (n / max(sum(counts), 1)) ** 0.5) for n in counts])
        for i, counts in enumerate(report.scores.confusion)
    ]
    return {
        "labels": [c.label for c in classes],
        "rows": rows,
        "table": len(rows) <= TABLE_UP_TO,
        "flat": all(len(c.label) <= 4 for c in classes),
    }


def _fill_pairs(report: Report, thumbnails: Thumbnails) -> Mapping[str, Any] | None:
    if report.several:
        return None
    by_pair = defaultdict[tuple[str, str], list[Mistake]](list)
    for mistake in mistakes(report):
        first, second = sorted((mistake.truth, mistake.predicted))
        by_pair[first, second].append(mistake)
    if not by_pair:
        return None
    pairs = sorted(by_pair.items(), key=lambda item: (-len(item[1]), item[0]))
    examples = _examples(report)

    def example(label: str) -> str | None:
        return thumbnails(examples[label], SMALL) if label in examples else None

    return {
        "pairs": [
            {
                "classes": [(label, example(label)) for label in labels],
                "directions": [
                    (a, b, n)
                    for a, b in (labels, labels[::-1])
                    if (n := sum(m.truth == a and m.predicted == b for m in group))
                ],
                "images": len(group),
                "shown": [(m, thumbnails(m.id, LARGE)) for m in group[:MOST_PER_PAIR]],
            }
            for labels, group in pairs[:MOST_PAIRS]
        ],
        "total": len(pairs),
    }


def _fill_mistakes(report: Report, thumbnails: Thumbnails) -> Mapping[str, Any]:
    wrong = mistakes(report)
    return {
        "shown": [(m, thumbnails(m.id, LARGE)) for m in wrong[:MOST_MISTAKES]],
        "total": len(wrong),
    }


def _fill_failures(report: Report, thumbnails: Thumbnails) -> Mapping[str, Any]:
    return {
        "failures": report.failures,
        "passed_over": report.passed_over,
        "remarks": report.remarks,
    }


def _fill_making(report: Report, thumbnails: Thumbnails) -> Mapping[str, Any]:
    settings = dict(report.settings)
    chosen, grid = settings.pop("chosen", {}), list(settings.pop("grid", ()))
    tried = [{k: v for k, v in point.items() if k not in MEASURES} for point in grid]
    common = {k for k, v in tried[0].items() if all(t.get(k) == v for t in tried)} if tried else {}
    candidates = [
        {
            "parameters": {k: v for k, v in one.items() if k not in common} or one,
            "accuracy": point["accuracy"],
            "log_loss": point.get("log_loss"),
            "chosen": one == chosen,
        }
        for one, point in zip(tried, grid, strict=True)
    ]
    shown = {k.replace("_", " "): v for k, v in settings.items() if v not in (None, "", (), [], {})}
    return {"settings": shown, "chosen": chosen, "grid": candidates}


SECTIONS = (
    Section("classes", "Classes", _fill_classes),
    Section("scores", "Scores", _fill_scores),
    Section("layers", "Layers", fill_layers),
    Section("confusion", "Confusion matrix", _fill_confusion, tab="Confusion"),
    Section("pairs", "Most confused pairs", _fill_pairs, tab="Pairs"),
    Section("mistakes", "Mistakes", _fill_mistakes),
    Section("labels", "Likely label errors", fill_labels, tab="Label errors"),
    Section("curve", "Learning curve", fill_curve),
    Section("failures", "Files left out", _fill_failures, tab="Left out"),
    Section("making", "How it was made", _fill_making, tab="Making"),
)

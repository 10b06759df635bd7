"""Scores of the classifier as a whole, each explained in a few words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from penult.classify.settings import SeedRuns
from penult.records import Average
from penult.reporting.content import Report
from penult.reporting.sections.base import Section
from penult.web.thumbnails import Thumbnails
from penult.wording import interval, percent, ratio

__all__ = ["SECTION"]


def _content(report: Report, thumbnails: Thumbnails) -> Mapping[str, Any] | None:
    trained = report.trained
    if trained is None:
        return None
    scores, multilabel = trained.scores, trained.multilabel
    table: tuple[tuple[str, Any, Callable[[Any], str], str], ...] = (
        (
            "Mean average precision",
            scores.mean_average_precision,
            _percent,
            "of the labels, each by its own ranking of the images",
        ),
        (
            "Every label right" if multilabel else "Accuracy",
            scores.accuracy,
            _percent,
            "images with no label missing or wrong"
            if multilabel
            else "images put into their class",
        ),
        ("Micro F1", scores.micro, _f1, "every label of every image counting the same"),
        (
            "Macro F1",
            scores.macro if multilabel else None,
            _f1,
            "every label counting the same",
        ),
        (
            "95% interval",
            scores.interval,
            interval,
            "of that, by Clopper and Pearson's exact method",
        ),
        (
            "" if trained.runs is None else f"{len(trained.runs.seeds)} runs",
            trained.runs,
            _spread,
            "mean and standard deviation of the accuracy, each run with another part held out",
        ),
        (
            "Top-5 accuracy",
            # Of ten classes, five of which are right by chance alone, it says nothing.
            scores.top5 if len(scores.classes) > 10 else None,
            _percent,
            "class among the five likeliest",
        ),
        (
            "Balanced accuracy",
            scores.balanced_accuracy,
            _percent,
            f"mean recall of the classes that have a {report.scored_image}",
        ),
        ("Soft F1", scores.soft_f1, ratio, "macro F1 on probabilities; 1 is best"),
        (
            "Log-loss",
            scores.log_loss,
            "{:.3f}".format,
            "mean of -ln of the probability of the true class; 0 is best",
        ),
        (
            "Calibration error",
            scores.calibration_error,
            "{:.3f}".format,
            "how far a stated probability is from being right as often; 0 is best",
        ),
    )
    rows = [
        (name, write(value), meaning) for name, value, write, meaning in table if value is not None
    ]
    return {"rows": rows} if len(rows) > 1 else None


def _percent(share: float) -> str:
    return percent(share, 2)


def _f1(average: Average) -> str:
    return ratio(average.f1)


def _spread(runs: SeedRuns) -> str:
    return f"{percent(runs.mean)} ± {100 * runs.std:.1f}"


SECTION = Section(name="scores", title="All scores", content=_content)

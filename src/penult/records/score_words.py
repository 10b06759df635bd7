"""Scores in words, and as the rows of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penult.wording import count, percent, ratio
from penult.wording import interval as in_interval

if TYPE_CHECKING:
    from penult.records.class_score import ClassScore
    from penult.records.scores import Scores

__all__ = ["class_rows", "in_words", "numbers_in_words", "scores_line"]


def numbers_in_words(score: ClassScore) -> tuple[str, str, str]:
    """Write precision, recall and F1 of a class; dashes where no image of it was scored."""
    if not score.support:
        return ("–", "–", "–")
    return ratio(score.precision, 3), ratio(score.recall, 3), ratio(score.f1, 3)


def in_words(scores: Scores) -> str:
    """Say the accuracy and what it was measured on, in one phrase."""
    return f"accuracy {percent(scores.accuracy)} on {count(scores.images, 'image')}"


def scores_line(scores: Scores, *, with_interval: bool = True) -> str:
    """Return the accuracy, what it was measured on, and perhaps how far it can be trusted."""
    name = "accuracy" if scores.mean_average_precision is None else "every label right"
    text = f"{name} {percent(scores.accuracy)} on {count(scores.images, 'image')} ({scores.split})"
    if scores.interval is not None and with_interval:
        text += f", 95% interval {in_interval(scores.interval)}"
    return text


def class_rows(scores: Scores) -> list[tuple[str, ...]]:
    """Return the scores of each class as a table has them; the first row is the header."""
    several = scores.mean_average_precision is not None
    header = ("class", "precision", "recall", "F1", *["AP"] * several, "support")
    rows = [
        (
            row.label,
            *numbers_in_words(row),
            *["–" if row.average_precision is None else ratio(row.average_precision, 3)] * several,
            f"{row.support:,}",
        )
        for row in scores.classes
    ]
    return [header, *rows]

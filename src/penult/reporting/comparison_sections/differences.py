"""By how much each model is better than each other, and whether that is more than noise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from penult.records import ModelDifference
from penult.reporting.comparison_sections.content import ComparisonContent
from penult.reporting.comparison_sections.score_column import ScoreColumn
from penult.reporting.formatting import apart
from penult.web.section import Section
from penult.web.thumbnails import Thumbnails
from penult.wording import shorten

__all__ = ["DIFFERENCES"]

MOST_NAMED = 8
"""Of more models, the columns of the matrix have the numbers of the models alone."""
MOST_UNFOLDED = 15
"""Pairs of a list that is not folded away."""
LONGEST = 24  # characters of a name above a column


@dataclass(frozen=True)
class _Cell:
    """A pair in the matrix: what its row has more than its column.

    Attributes
    ----------
    text : points, with a sign
    kind : ``better``, ``worse`` or ``tie``
    strength : in [0, 1], of its colour
    words : all that is known of the pair, as a sentence
    """

    text: str
    kind: str
    strength: float
    words: str


def _content(shown: ComparisonContent, thumbnails: Thumbnails) -> Mapping[str, Any] | None:
    differences = shown.comparison.differences
    column = ScoreColumn.of(shown.rows, shown.comparison.score)
    if not differences or column is None:
        return None
    names = [row.name for row in shown.rows]
    most = max(abs(one.difference) for one in differences) or 1
    cells = [[_cell(shown, a, b, most) for b in names] for a in names]
    few = len(names) <= MOST_NAMED
    return {
        "score": column.title,
        "names": names,
        "heads": shorten(names, LONGEST) if few else [""] * len(names),
        "cells": cells,
        "few": few,
        "pairs": [
            {
                "a": one.a,
                "b": one.b,
                "points": _points(one.difference),
                "interval": _interval(one, 1),
                "p": _p(one.p),
                "difference": one,
                "verdict": _verdict(one),
            }
            for one in differences
        ],
        "unfolded": len(differences) <= MOST_UNFOLDED,
        "separable": sum(one.separable for one in differences),
        "best": shown.comparison.best,
        "ties": apart((name for name in names if shown.ties_best(name)), most=6),
    }


def _cell(shown: ComparisonContent, a: str, b: str, most: float) -> _Cell | None:
    found = shown.difference(a, b) if a != b else None
    if found is None:
        return None
    one, sign = found
    value = sign * one.difference
    points, interval = _points(value), _interval(one, sign)
    kind = ("better" if value > 0 else "worse") if one.separable else "tie"
    return _Cell(
        points,
        kind,
        round(abs(value) / most, 3),
        f"{a} less {b}: {points} points, 95% interval {interval}, p {_p(one.p)}: {_verdict(one)}",
    )


def _verdict(one: ModelDifference) -> str:
    if one.separable:
        return "separable"
    # The interval is of the pair alone, and p is corrected for all of them.
    return "not separable" if one.low <= 0 <= one.high else "not separable among so many pairs"


def _interval(one: ModelDifference, sign: int) -> str:
    ends = sorted((sign * one.low, sign * one.high))
    return " to ".join(_points(end) for end in ends)


def _points(value: float) -> str:
    """Hundredths with their sign, and a minus that is as wide as a plus."""
    text = f"{100 * value:+.1f}" if value else "0.0"
    return text.replace("-", "−")


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.2g}"


DIFFERENCES = Section[ComparisonContent](
    name="differences",
    title="Which differences are more than noise",
    content=_content,
    tab="Differences",
)

"""The models, best first: what they score and what they cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from penult.records import ComparedModel, RunScores
from penult.reporting.comparison_sections.content import ComparisonContent
from penult.reporting.comparison_sections.cost_column import cost_columns
from penult.reporting.comparison_sections.score_column import ScoreColumn, ScoreText
from penult.web.section import Section
from penult.web.thumbnails import Thumbnails

__all__ = ["MODELS"]

SHOWN = ("accuracy", "hit@1", "precision@5", "macro_f1")
"""Beside the score that they are ranked by."""
SHOWN_COSTS = ("images_per_second", "parameters", "flops", "peak_memory", "features")


@dataclass(frozen=True)
class _Dot:
    """Where a mean and one standard deviation to either side of it lie, in percent of the axis."""

    at: float
    low: float
    high: float


@dataclass(frozen=True)
class _Row:
    rank: int
    model: ComparedModel
    score: ScoreText
    dot: _Dot | None
    others: tuple[ScoreText, ...]
    costs: tuple[tuple[str, float | None], ...]
    recommended: bool
    best: bool
    ties: bool
    equal: bool


def _content(shown: ComparisonContent, thumbnails: Thumbnails) -> Mapping[str, Any] | None:
    rows, found = shown.rows, shown.comparison
    chosen = ScoreColumn.of(rows, found.score)
    if chosen is None:
        return None
    others = [
        column
        for name in SHOWN
        if name != found.score and (column := ScoreColumn.of(rows, name)) is not None
    ]
    costs = cost_columns(rows, SHOWN_COSTS)
    low, high = _axis(chosen.scores)
    texts = [column.texts for column in others]
    several = shown.several_labels
    top = max(one.mean for one in chosen.scores if isfinite(one.mean))
    return {
        "chosen": chosen,
        "others": others,
        "costs": costs,
        "ends": [f"{100 * end:.0f}%" for end in (low, high)],
        "runs": max(len(one.runs) for one in chosen.scores),
        "rows": [
            _Row(
                rank=k + 1,
                model=row,
                score=score,
                dot=_dot(chosen.scores[k], low, high),
                others=tuple(column[k] for column in texts),
                costs=tuple(cost.text(row) for cost in costs),
                recommended=row.name == found.recommended,
                best=row.name == shown.comparison.best and len(rows) > 1,
                ties=shown.ties_best(row.name),
                equal=row.scores[found.score].mean == top if found.score in row.scores else False,
            )
            for k, (row, score) in enumerate(zip(rows, chosen.texts, strict=True))
        ],
        "terms": [
            *((one.title, one.meaning(several_labels=several)) for one in (chosen, *others)),
            *((cost.title, cost.meaning) for cost in costs),
        ],
        "joined": any("+" in row.model for row in rows),
        "untrained": sum(row.untrained for row in rows),
        "incomplete": [row for row in rows if row.missing],
    }


def _axis(scores: tuple[RunScores, ...]) -> tuple[float, float]:
    """Ends at whole hundredths, or even ones, around all means and their standard deviations."""
    known = [one for one in scores if isfinite(one.mean)]
    low = min(one.mean - one.std for one in known)
    high = max(one.mean + one.std for one in known)
    step = 0.01 if high - low < 0.1 else 0.02
    return max(step * (low // step), 0.0), min(step * -(-high // step), 1.0)


def _dot(score: RunScores, low: float, high: float) -> _Dot | None:
    if not isfinite(score.mean):
        return None
    width = (high - low) or 1

    def place(value: float) -> float:
        return round(100 * min(max((value - low) / width, 0), 1), 2)

    return _Dot(place(score.mean), place(score.mean - score.std), place(score.mean + score.std))


MODELS = Section[ComparisonContent](
    name="models", title="Models, best first", content=_content, tab="Models"
)

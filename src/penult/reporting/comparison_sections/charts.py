"""The charts, each with what is to be seen in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from penult.records import ComparedModel
from penult.reporting.comparison_sections.content import ComparisonContent
from penult.reporting.comparison_sections.score_column import ScoreColumn
from penult.reporting.figures.cost_scatter import COSTS, Cost
from penult.reporting.figures.pareto_front import pareto_front
from penult.web.section import Section
from penult.web.thumbnails import Thumbnails
from penult.wording import count, points

__all__ = ["CHARTS"]

FEW = 12
"""Models whose names are still readable where three charts are side by side."""
MOST_NAMED = 4
"""Models of a front that a sentence names."""


@dataclass(frozen=True)
class _Chart:
    """A chart, and a sentence about it: text, and names of models, which are set apart."""

    name: str
    title: str
    svg: str
    words: str
    names: tuple[str, ...] = ()
    after: str = ""


def _content(shown: ComparisonContent, thumbnails: Thumbnails) -> Mapping[str, Any] | None:
    charts = [
        make(shown, name)
        for name, make in CHARTED.items()
        if name in shown.figures and len(shown.rows) > 1
    ]
    return {"charts": charts, "few": len(shown.rows) <= FEW} if charts else None


def _bars(title: str, score: str) -> Callable[[ComparisonContent, str], _Chart]:
    def chart(shown: ComparisonContent, name: str) -> _Chart:
        return _Chart(name, title, shown.figures[name], _range(shown, score))

    return chart


def _range(shown: ComparisonContent, score: str) -> str:
    """From where to where a score goes, and whether it orders the models as the chosen one does."""
    column = ScoreColumn.of(shown.rows, score)
    if column is None:
        return ""
    known = [one for one in column.texts if one.value is not None]
    means = [one.value for one in known if one.value is not None]
    lowest, highest = (known[means.index(end)].text for end in (min(means), max(means)))
    title = column.title[:1].upper() + column.title[1:]
    text = f"{title} goes from {lowest} to {highest} among {count(len(known), 'model')}"
    chosen = ScoreColumn.of(shown.rows, shown.comparison.score)
    if chosen is None or score == shown.comparison.score:
        if max(means) == min(means):
            return f"{title} is {highest} for {'both' if len(known) == 2 else f'all {len(known)}'}."
        below = points(max(means) - min(means))
        return f"{text}: the last is {below} points below the best."
    same = means == sorted(means, reverse=True)
    return f"{text}, and orders them {'as' if same else 'otherwise than'} {chosen.title} does."


def _scatter(cost: Cost) -> Callable[[ComparisonContent, str], _Chart]:
    def chart(shown: ComparisonContent, name: str) -> _Chart:
        score = shown.comparison.score
        title = ScoreColumn(score, ()).title
        front, all_known = _front(shown.rows, score, cost)
        words = (
            f"{len(front):,} of {all_known:,} {'lies' if len(front) == 1 else 'lie'} on the Pareto "
            f"front: no other is both {cost.better} and higher in {title}"
        )
        named = tuple(row.name for row in front) if len(front) <= MOST_NAMED else ()
        recommended = shown.comparison.recommended
        on_it = any(row.name == recommended for row in front)
        after = ""
        if recommended is not None and len(front) < all_known and not on_it:
            after = "The recommended one is not on it."
        return _Chart(
            name,
            f"{title[:1].upper()}{title[1:]} and {TITLES[name]}",
            shown.figures[name],
            words,
            named,
            after,
        )

    return chart


def _front(
    rows: Sequence[ComparedModel], score: str, cost: Cost
) -> tuple[list[ComparedModel], int]:
    """The models of the front, the best score first, and of how many."""
    known = [
        (row, float(value), mean)
        for row in rows
        if (value := getattr(row.cost, cost.field)) is not None
        and isfinite(mean := row.score(score).mean)
    ]
    places = pareto_front([x for _, x, _ in known], [y for *_, y in known], lower=cost.lower)
    return [known[k][0] for k in sorted(places)], len(known)


TITLES = {"parameters": "parameters", "flops": "FLOPs", "speed": "images/s"}
CHARTED: Mapping[str, Callable[[ComparisonContent, str], _Chart]] = {
    "accuracy": _bars("Accuracy and search", "accuracy"),
    "precision": _bars("Precision and F1", "precision@5"),
    **{name: _scatter(cost) for name, cost in COSTS.items()},
}

CHARTS = Section[ComparisonContent](name="charts", title="Charts", content=_content)

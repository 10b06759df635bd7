"""Scores of a search as the rows of tables, and what they are of in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from math import isnan
from typing import TYPE_CHECKING

from penult.wording import count, no_estimate, ratio

if TYPE_CHECKING:
    from penult.records.score_interval import ScoreInterval
    from penult.records.search_scores import SearchScores

__all__ = ["search_label_rows", "search_score_rows", "search_sentences"]

_NONE = "–"
_SHARES_ONE = "any label"


def search_score_rows(scores: SearchScores) -> list[tuple[str, ...]]:
    """Return the scores as a table has them, at most 80 characters wide; first the header.

    The column of any label is there where it differs from the others.
    """
    several = any(scores.any_label.get(name) != one for name, one in scores.scores.items())
    header = ("score", "micro", "95% interval", *[_SHARES_ONE] * several, "macro", "no duplicates")
    names = scores.any_label if several else scores.scores
    rows = [
        (
            name,
            _value(scores.scores, name),
            _interval(scores.scores, name),
            *[_value(scores.any_label, name)] * several,
            _value(scores.macro, name),
            _value(scores.without_duplicates.scores, name),
        )
        for name in names
    ]
    return [header, *rows]


def search_label_rows(scores: SearchScores) -> list[tuple[str, ...]]:
    """Return some scores of every label as a table has them; first the header."""
    names = (f"hit@{scores.k[0]}", "r_precision", "average_precision")
    header = ("label, lowest first", "queries", *names)
    rows = [
        (one.label, f"{one.queries:,}", *(ratio(one.scores[name], 3) for name in names))
        for one in scores.labels
    ]
    return [header, *rows]


def search_sentences(scores: SearchScores) -> list[str]:
    """Say what was searched for in what, what was left out, and what counts as a duplicate."""
    lines = [f"{scores.protocol}, by {scores.metric}"] if scores.protocol else []
    if scores.trained_network:
        queries = scores.queries + scores.skipped
        line = no_estimate(scores.trained_network, queries, "query", "queries")
        if scores.untrained is not None:
            names = (f"hit@{scores.k[0]}", "average_precision")
            told = [f"{name} {_value(scores.untrained.scores, name)}" for name in names]
            others = queries - scores.trained_network
            line += f"; on the other {others:,}: {', '.join(told)}"
        lines.append(line)
    if scores.skipped:
        why = "have no relevant row to find, and are in no score"
        if scores.skipped == 1:
            why = "has no relevant row to find, and is in no score"
        asked = count(scores.queries + scores.skipped, "query", "queries")
        lines.append(f"{scores.skipped:,} of {asked} {why}")
        if scores.queries_any_label > scores.queries:
            lines.append(
                f"{count(scores.queries_any_label, 'query', 'queries')} can find a row that shares "
                "a label with them"
            )
    if scores.unlabelled:
        has = "has no label, and was" if scores.unlabelled == 1 else "have no label, and were"
        lines.append(f"{count(scores.unlabelled, 'row')} {has} left out")
    apart = scores.without_duplicates
    if scores.duplicates:
        line = (
            f"no duplicates: {count(scores.duplicates, 'row')} whose cosine with another is "
            f"{scores.near_duplicates:g} or more counted as one with it"
        )
        if apart.skipped > scores.skipped:
            line += f"; {count(apart.queries, 'query', 'queries')} left"
        lines.append(line)
    else:
        lines.append(f"no two rows have a cosine of {scores.near_duplicates:g} or more")
    return lines


def _value(scores: Mapping[str, ScoreInterval], name: str) -> str:
    if name not in scores or isnan(scores[name].value):
        return _NONE
    return ratio(scores[name].value, 3)


def _interval(scores: Mapping[str, ScoreInterval], name: str) -> str:
    if _value(scores, name) == _NONE:
        return _NONE
    return f"{ratio(scores[name].low, 3)} to {ratio(scores[name].high, 3)}"

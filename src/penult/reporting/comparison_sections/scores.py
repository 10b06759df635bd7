"""All scores of all models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penult.reporting.comparison_sections.content import ComparisonContent
from penult.reporting.comparison_sections.score_column import MEANINGS, ScoreColumn
from penult.web.section import Section
from penult.web.thumbnails import Thumbnails

__all__ = ["SCORES"]


def _content(shown: ComparisonContent, thumbnails: Thumbnails) -> Mapping[str, Any] | None:
    several = shown.several_labels
    names = dict.fromkeys(
        [*MEANINGS, *(name for row in shown.rows for name in (*row.scores, *row.any_label))]
    )
    columns = [
        column
        for name in names
        for any_label in (False, True)[: 1 + several]
        if (column := ScoreColumn.of(shown.rows, name, any_label=any_label)) is not None
    ]
    if not columns:
        return None
    texts = [column.texts for column in columns]
    return {
        "columns": columns,
        "chosen": shown.comparison.score,
        "runs": max(len(one.runs) for one in columns[0].scores),
        "rows": [
            (k + 1, row.name, [column[k] for column in texts]) for k, row in enumerate(shown.rows)
        ],
        "terms": [
            (one.title, one.meaning(several_labels=several)) for one in columns if not one.any_label
        ],
        "several_labels": several,
    }


SCORES = Section[ComparisonContent](
    name="scores", title="All scores", content=_content, tab="Scores"
)

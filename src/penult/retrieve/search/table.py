"""What was found as a table of hits, CSV, or JSON lines: one query after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from penult.outcome_table import as_json, outcome_file, outcome_writer
from penult.records import Failure, SearchResult
from penult.tabular import search_cells, search_columns

if TYPE_CHECKING:
    from penult.records.neighbors import Metric

__all__ = ["to_file", "writer"]

Write = Callable[[SearchResult | Failure], None]


def to_file(
    path: Path, *, overwrite: bool, inputs: Iterable[Path] = (), **columns: Any
) -> AbstractContextManager[Write]:
    """Enter what writes one outcome; the file appears when the block ends well.

    Parameters
    ----------
    inputs : what it may not replace
    columns : see `writer`

    Raises
    ------
    UsageError, OutputExistsError, PathNotFoundError, OutputError
    """
    return outcome_file(path, writer, overwrite=overwrite, inputs=inputs, **columns)


def writer(
    style: str,
    file: TextIO,
    *,
    metric: Metric,
    several: bool,
    vote: bool,
    escape_formulas: bool,
    shown: Callable[[str], str] | None = None,
    as_json: Callable[[Any], str] = as_json,
) -> Write:
    """Return what writes one outcome to an open file.

    Parameters
    ----------
    metric : what the hits' numbers are
    several : whether rows may have several labels
    vote : whether what the hits voted for is written
    others : see `penult.outcome_table.outcome_writer`
    """

    def fields(outcome: SearchResult | Failure) -> dict[str, Any]:
        if isinstance(outcome, Failure):
            return {"query": outcome.id, "reason": outcome.reason}
        return outcome.to_dict(vote=vote)

    def cells(outcome: SearchResult | Failure) -> list[dict[str, Any]]:
        if isinstance(outcome, Failure):
            return [fields(outcome)]
        return search_cells(outcome, vote=vote)

    return outcome_writer(
        style,
        file,
        columns=[*search_columns(metric, several=several, vote=vote), "reason"],
        cells=cells,
        fields=fields,
        escape_formulas=escape_formulas,
        shown=shown,
        as_json=as_json,
    )

"""What was found as a table of hits, CSV, or JSON lines: one query after the other."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from penult.messages import escape_formula
from penult.output import atomic_output, check_output
from penult.records import Failure, SearchResult
from penult.suffixes import PREDICTIONS
from penult.tabular import search_cells, search_columns

if TYPE_CHECKING:
    from penult.records.neighbors import Metric

__all__ = ["to_file", "writer"]

Write = Callable[[SearchResult | Failure], None]


def _as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


@contextmanager
def to_file(
    path: Path, *, overwrite: bool, inputs: Iterable[Path] = (), **columns: Any
) -> Iterator[Write]:
    """Yield what writes one outcome; the file appears when the block ends well.

    Parameters
    ----------
    inputs : what it may not replace
    columns : see `writer`

    Raises
    ------
    UsageError, OutputExistsError, PathNotFoundError, OutputError
    """
    check_output(path, overwrite=overwrite, inputs=inputs, output=PREDICTIONS)
    style = "csv" if path.suffix.lower() == ".csv" else "json"
    with (
        atomic_output(path, overwrite=overwrite) as temporary,
        # A name that is no valid UTF-8 reaches Python with lone surrogates in it.
        temporary.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file,
    ):
        yield writer(style, file, **columns)


def writer(
    style: str,
    file: TextIO,
    *,
    metric: Metric,
    several: bool,
    vote: bool,
    escape_formulas: bool,
    shown: Callable[[str], str] | None = None,
    as_json: Callable[[Any], str] = _as_json,
) -> Write:
    """Return what writes one outcome to an open file.

    Parameters
    ----------
    style : ``"csv"``, whose header is written at once, or ``"json"``
    metric : what the hits' numbers are
    several : whether rows may have several labels
    vote : whether what the hits voted for is written
    escape_formulas : whether cells that a spreadsheet would run get an apostrophe
    shown : what makes a cell of CSV fit to be shown
    as_json : what makes a line of JSON
    """
    if style == "json":
        return lambda outcome: print(as_json(_fields(outcome, vote)), file=file)
    columns = [*search_columns(metric, several=several, vote=vote), "reason"]
    table = csv.DictWriter(file, columns, lineterminator="\n")
    table.writeheader()

    def write(outcome: SearchResult | Failure) -> None:
        if isinstance(outcome, Failure):
            rows = [_fields(outcome, vote)]
        else:
            rows = search_cells(outcome, vote=vote)
        for cells in rows:
            for escape in (escape_formula if escape_formulas else None, shown):
                if escape is not None:
                    cells |= {k: escape(v) for k, v in cells.items() if isinstance(v, str)}
            table.writerow(cells)

    return write


def _fields(outcome: SearchResult | Failure, vote: bool) -> dict[str, Any]:
    if isinstance(outcome, Failure):
        return {"query": outcome.id, "reason": outcome.reason}
    return outcome.to_dict(vote=vote)

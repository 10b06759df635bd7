"""Outcomes as CSV or JSON lines: one after the other, however many there are."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO, TypeVar

from penult.messages import escape_formula
from penult.output import atomic_text, check_output
from penult.suffixes import PREDICTIONS

__all__ = ["as_json", "outcome_file", "outcome_writer"]

Outcome = TypeVar("Outcome")


def as_json(value: Any) -> str:
    """A line of JSON, with every character as it is."""
    return json.dumps(value, ensure_ascii=False)


@contextmanager
def outcome_file(
    path: Path,
    writer: Callable[..., Callable[[Outcome], None]],
    *,
    overwrite: bool,
    inputs: Iterable[Path] = (),
    **columns: Any,
) -> Iterator[Callable[[Outcome], None]]:
    """Yield what writes one outcome; the file appears when the block ends well.

    Parameters
    ----------
    path : its suffix says the style
    writer : given the style, the open file and `columns`, returns what writes one outcome
    inputs : what it may not replace

    Raises
    ------
    UsageError, OutputExistsError, PathNotFoundError, OutputError
    """
    check_output(path, overwrite=overwrite, inputs=inputs, output=PREDICTIONS)
    style = "csv" if path.suffix.lower() == ".csv" else "json"
    with atomic_text(path, overwrite=overwrite) as file:
        yield writer(style, file, **columns)


def outcome_writer(
    style: str,
    file: TextIO,
    *,
    columns: Sequence[str],
    cells: Callable[[Outcome], Iterable[dict[str, Any]]],
    fields: Callable[[Outcome], dict[str, Any]],
    escape_formulas: bool,
    shown: Callable[[str], str] | None = None,
    as_json: Callable[[Any], str] = as_json,
) -> Callable[[Outcome], None]:
    """Return what writes one outcome to an open file.

    Parameters
    ----------
    style : ``"csv"``, whose header is written at once, or ``"json"``
    columns : of CSV
    cells : the rows of CSV that an outcome has
    fields : what an outcome has in JSON
    escape_formulas : whether cells that a spreadsheet would run get an apostrophe
    shown : what makes a cell of CSV fit to be shown
    as_json : what makes a line of JSON
    """
    if style == "json":
        return lambda outcome: print(as_json(fields(outcome)), file=file)
    escapes = [one for one in (escape_formula if escape_formulas else None, shown) if one]
    table = csv.DictWriter(file, columns, lineterminator="\n")
    table.writeheader()

    def write(outcome: Outcome) -> None:
        for row in cells(outcome):
            for escape in escapes:
                row |= {k: escape(v) for k, v in row.items() if isinstance(v, str)}
            table.writerow(row)

    return write

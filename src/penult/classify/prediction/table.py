"""Predictions as a table, CSV or JSON lines: one after the other, however many there are."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from penult.messages import escape_formula
from penult.output import atomic_output, check_output
from penult.records import Failure, Prediction
from penult.suffixes import PREDICTIONS
from penult.tabular import prediction_cells

__all__ = ["to_file", "writer"]

Write = Callable[[Prediction | Failure], None]


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
    columns : ``top``, how many classes are listed; ``several``, whether an image may have several
        labels; ``copies``, whether the images are copied somewhere; ``escape_formulas``, whether
        cells that a spreadsheet would run get an apostrophe

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
    top: int,
    several: bool,
    copies: bool,
    escape_formulas: bool,
    shown: Callable[[str], str] | None = None,
    as_json: Callable[[Any], str] = _as_json,
) -> Write:
    """Return what writes one outcome to an open file.

    Parameters
    ----------
    style : ``"csv"``, whose header is written at once, or ``"json"``
    shown : what makes a cell of CSV fit to be shown
    as_json : what makes a line of JSON
    others : see `to_file`
    """
    if style == "json":
        return lambda outcome: print(as_json(_fields(outcome)), file=file)
    columns = [
        "id",
        *["labels"] * several,
        "label",
        "probability",
        "unsure",
        "unlike",
        "similarity",
    ]
    for place in range(2, top + 1):
        columns += [f"label_{place}", f"probability_{place}"]
    columns += ["copied_to"] * copies + ["reason"]
    table = csv.DictWriter(file, columns, lineterminator="\n")
    table.writeheader()

    def write(outcome: Prediction | Failure) -> None:
        cells = _fields(outcome) if isinstance(outcome, Failure) else prediction_cells(outcome)
        for name in ("unsure", "unlike"):
            if cells.get(name) is not None:
                cells[name] = "true" if cells[name] else "false"
        for escape in (escape_formula if escape_formulas else None, shown):
            if escape is not None:
                cells |= {k: escape(v) for k, v in cells.items() if isinstance(v, str)}
        table.writerow(cells)

    return write


def _fields(outcome: Prediction | Failure) -> dict[str, Any]:
    if isinstance(outcome, Failure):
        return {"id": outcome.id, "reason": outcome.reason}
    return outcome.to_dict()

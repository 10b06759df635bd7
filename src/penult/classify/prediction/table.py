"""Predictions as a table, CSV or JSON lines: one after the other, however many there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, TextIO

from penult.outcome_table import as_json, outcome_file, outcome_writer
from penult.records import Failure, Prediction
from penult.tabular import prediction_cells

__all__ = ["to_file", "writer"]

Write = Callable[[Prediction | Failure], None]


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
    top: int,
    several: bool,
    copies: bool,
    escape_formulas: bool,
    shown: Callable[[str], str] | None = None,
    as_json: Callable[[Any], str] = as_json,
) -> Write:
    """Return what writes one outcome to an open file.

    Parameters
    ----------
    top : how many classes are listed
    several : whether an image may have several labels
    copies : whether the images are copied somewhere
    others : see `penult.outcome_table.outcome_writer`
    """
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
    return outcome_writer(
        style,
        file,
        columns=columns,
        cells=_cells,
        fields=_fields,
        escape_formulas=escape_formulas,
        shown=shown,
        as_json=as_json,
    )


def _cells(outcome: Prediction | Failure) -> list[dict[str, Any]]:
    cells = _fields(outcome) if isinstance(outcome, Failure) else prediction_cells(outcome)
    for name in ("unsure", "unlike"):
        if cells.get(name) is not None:
            cells[name] = "true" if cells[name] else "false"
    return [cells]


def _fields(outcome: Prediction | Failure) -> dict[str, Any]:
    if isinstance(outcome, Failure):
        return {"id": outcome.id, "reason": outcome.reason}
    return outcome.to_dict()

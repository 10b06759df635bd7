"""The images that a classifier was scored on, and what it said of each, as a table."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from penult.messages import escape_formula
from penult.output import atomic_text
from penult.records import HeldOut

__all__ = ["HELD_OUT", "write_held_out"]

HELD_OUT = "held_out.csv"


def write_held_out(
    path: Path, runs: Sequence[HeldOut], *, escape_formulas: bool = False, overwrite: bool = False
) -> None:
    """Write a row an image, and an image as often as it was held out.

    Parameters
    ----------
    path : Path
        Of the table.
    runs : sequence of HeldOut
        The images of each run, whose number from 1 is a column.
    escape_formulas : bool
        Put an apostrophe before names that a spreadsheet would run as a formula.
    overwrite : bool
        Replace the table if it is there.

    Raises
    ------
    OutputExistsError, PathNotFoundError, OutputError
    """
    escape = escape_formula if escape_formulas else str
    with atomic_text(path, overwrite=overwrite) as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["id", "label", "predicted", "probability", "run"])
        for number, run in enumerate(runs, 1):
            for image in zip(run.ids, run.truth, run.predicted, run.probability, strict=True):
                *names, probability = image
                rows.writerow([*map(escape, names), f"{probability:.6g}", number])

"""The table of clusters: which row is in which."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

from penult.messages import escape_formula
from penult.output import atomic_text

if TYPE_CHECKING:
    from penult.records import Clustering

__all__ = ["write_assignments"]


def write_assignments(
    clustering: Clustering, path: Path, *, escape_formulas: bool = False, overwrite: bool = False
) -> None:
    """Write a CSV file with the columns ``id`` and ``cluster``, whole or not at all.

    Parameters
    ----------
    clustering : Clustering
    path : path
    escape_formulas : bool, default=False
        Put an apostrophe before ids that a spreadsheet would run as a formula.
    overwrite : bool, default=False
        Replace `path` if it exists.

    Raises
    ------
    OutputExistsError, PathNotFoundError, OutputError
    """
    escape = escape_formula if escape_formulas else str
    with atomic_text(path, overwrite=overwrite) as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["id", "cluster"])
        numbers = clustering.assignments.tolist()
        table.writerows(
            (escape(str(one)), number) for one, number in zip(clustering.ids, numbers, strict=True)
        )

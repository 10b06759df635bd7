"""The table of outliers: how unusual each image is, and why."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

from penult.explore.tables import require_parquet
from penult.messages import escape_formula
from penult.output import atomic_output, atomic_text
from penult.tabular import outlier_columns

if TYPE_CHECKING:
    from penult.records import Outliers

__all__ = ["write_outliers"]


def write_outliers(
    outliers: Outliers, path: Path, *, escape_formulas: bool = False, overwrite: bool = False
) -> None:
    """Write all rows as a table, CSV or Parquet by its suffix, whole or not at all.

    Columns are those of `Outliers.to_dataframe`, the most unusual first.

    Parameters
    ----------
    outliers : Outliers
    path : path
    escape_formulas : bool, default=False
        In CSV, put an apostrophe before names that a spreadsheet would run as a formula.
    overwrite : bool, default=False
        Replace `path` if it exists.

    Raises
    ------
    OutputExistsError, PathNotFoundError, OutputError
    MissingExtraError
        If pyarrow is not installed, which Parquet needs.
    """
    columns = outlier_columns(outliers)
    if path.suffix.lower() == ".parquet":
        pa, parquet = require_parquet()
        texts = ("id", "label", "reasons")
        table = pa.table(
            {
                name: pa.array([*map(_utf8, values)], pa.string())
                if name in texts
                else pa.array(values, pa.float64())
                for name, values in columns.items()
            }
        )
        with atomic_output(path, overwrite=overwrite) as temporary:
            parquet.write_table(table, temporary)
        return
    escape = escape_formula if escape_formulas else str
    with atomic_text(path, overwrite=overwrite) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        for cells in zip(*columns.values(), strict=True):
            writer.writerow(
                "" if one is None else escape(one) if isinstance(one, str) else repr(one)
                for one in cells
            )


def _utf8(text: str) -> str:
    """A file name that is no valid UTF-8 reaches Python with lone surrogates in it."""
    return text.encode("utf-8", "backslashreplace").decode()

"""Rows of a feature file, in a file that other programs read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from penult.checking import checked
from penult.features.export import WRITERS, require_writable
from penult.features.read import one_set
from penult.output import atomic_output, check_output
from penult.progress import ShowProgress, following
from penult.records import Features, Progress
from penult.representation import short_repr
from penult.suffixes import ROWS

__all__ = ["ExportedRows", "export_rows"]


@short_repr
@dataclass(frozen=True, kw_only=True)
class ExportedRows:
    """A file of rows that was written.

    Attributes
    ----------
    output : Path
        The file.
    rows : int
        How many there are.
    shape : tuple of int
        Of one row.
    layer : str
        Whose rows they are.
    bytes : int
        Size of the file.
    """

    output: Path
    rows: int
    shape: tuple[int, ...]
    layer: str
    bytes: int


@checked
def export_rows(
    features: Features | str | Path,
    output: str | Path,
    *,
    layer: str | None = None,
    escape_formulas: bool = False,
    overwrite: bool = False,
    progress: ShowProgress = None,
) -> ExportedRows:
    """Write rows with their ids and labels as CSV, as NumPy's npz, or as Parquet.

    The suffix of `output` says which; see docs/export-rows.md. Rows are read and written a block at
    a time, so that a file may be larger than the memory.

    Parameters
    ----------
    features : Features or path
        The feature file, or rows.
    output : path
        File to write, whole or not at all: ``.csv``, ``.npz`` or ``.parquet``.
    layer : str, optional
        Which of the file's layers; the last by default.
    escape_formulas : bool, default=False
        In CSV, put an apostrophe before names that a spreadsheet would run as a formula.
    overwrite : bool, default=False
        Replace `output` if it exists.
    progress : bool or callable, optional
        As for `penult.extract`.

    Returns
    -------
    ExportedRows
        What is in the file.

    Raises
    ------
    UsageError
        If the suffix is another one, or rows in memory are asked for a layer.
    MissingExtraError
        If Parquet is asked for, and pyarrow is not installed.
    UnknownNameError
        If there is no such layer.
    PathNotFoundError, FeatureFileError
        If the features cannot be read.
    OutputExistsError, OutputError
        If `output` cannot be written.
    """
    target = Path(output)
    inputs = [] if isinstance(features, Features) else [Path(features)]
    check_output(target, overwrite=overwrite, inputs=inputs, output=ROWS)
    suffix = target.suffix.lower()
    require_writable(suffix)
    features = one_set(features, layer)
    total = len(features)
    with following(progress) as tell, atomic_output(target, overwrite=overwrite) as temporary:

        def told(done: int) -> None:
            tell(Progress(done, total, 0, stage="export rows", unit="rows"))

        told(0)
        WRITERS[suffix](features, temporary, told, escape_formulas=escape_formulas)
    return ExportedRows(
        output=target,
        rows=total,
        shape=tuple(features.features.shape[1:]),
        layer=features.name,
        bytes=target.stat().st_size,
    )

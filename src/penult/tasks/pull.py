"""Rows of a table in a database, written into a feature file."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from penult.checking import checked
from penult.databases.base import StoredRows, TableInfo, VectorTable
from penult.databases.feature_rows import records_of
from penult.databases.registry import open_table
from penult.errors import DatabaseError
from penult.features.write import Columns, FeatureWriter
from penult.interface import command
from penult.output import atomic_output, check_output
from penult.progress import ShowProgress, Tell, following
from penult.records import Progress
from penult.representation import short_repr
from penult.suffixes import FEATURES

__all__ = ["PulledRows", "pull"]

_BLOCK_BYTES = 4 << 20
_BLOCK_ROWS = 2_000
_SPLITS = {"", "train", "validation", "test"}


@short_repr
@dataclass(frozen=True, kw_only=True)
class PulledRows:
    """A feature file that was written from a table.

    Attributes
    ----------
    output : Path
        The file.
    rows : int
        How many it has.
    shape : tuple of int
        Of one row.
    layer : str
        Whose rows they are.
    bytes : int
        Size of the file.
    address : str
        Of the table, without a password.
    """

    output: Path
    rows: int
    shape: tuple[int, ...]
    layer: str
    bytes: int
    address: str


@checked
def pull(
    address: str,
    output: str | Path,
    *,
    overwrite: bool = False,
    progress: ShowProgress = None,
) -> PulledRows:
    """Write the rows of a table that `penult.push` filled into a feature file.

    It holds what the file that was pushed held of those rows: see docs/databases.md.

    Parameters
    ----------
    address : str
        The table's, as `penult.push` takes it.
    output : path
        Feature file to write, ``.h5``, whole or not at all.
    overwrite : bool, default=False
        Replace `output` if it exists.
    progress : bool or callable, optional
        As for `penult.extract`.

    Returns
    -------
    PulledRows
        What is in the file.

    Raises
    ------
    UsageError
        If the address is none.
    MissingExtraError
        If the library of the database is not installed.
    DatabaseError
        If there is no such table, it is none of penult's, or the database is lost.
    OutputExistsError, OutputError
        If `output` cannot be written.
    """
    target = Path(output)
    check_output(target, overwrite=overwrite, output=FEATURES)
    with (
        following(progress) as tell,
        closing(open_table(address)) as table,
        atomic_output(target, overwrite=overwrite) as temporary,
    ):
        info = _info(table)
        rows = _write(table, info, temporary, tell)
    return PulledRows(
        output=target,
        rows=rows,
        shape=info.shape,
        layer=info.name,
        bytes=target.stat().st_size,
        address=table.address,
    )


def _info(table: VectorTable) -> TableInfo:
    info = table.info()
    if info is None or not info.rows:
        lack = "there is no such table" if info is None else "the table has no rows"
        push = command("push", "ROWS.h5", to=table.address)
        raise DatabaseError(f"{table.address}: {lack}; fill it with: {push}")
    return info


def _write(table: VectorTable, info: TableInfo, path: Path, tell: Tell) -> int:
    writer = FeatureWriter(
        path,
        [info.recipe],
        Columns(info.label_names, info.several, info.splits, info.groups),
        [info.name],
        dtype=info.dtype,
        origin=info.origin,
        trained_on=[info.trained_on],
    )
    batch = max(1, min(_BLOCK_ROWS, _BLOCK_BYTES // max(1, 4 * info.width)))
    try:
        with closing(_blocks(table, info, batch)) as blocks:
            for rows in blocks:
                # Programs may tell images apart by what they like; a file has digests alone.
                digests = [one if len(one) in (0, 32) else "" for one in rows.content]
                shaped = rows.rows.reshape(len(rows), *info.shape)
                writer.append(records_of(rows), digests, [shaped])
                done = writer.count
                total = max(done, info.rows)
                tell(Progress(done, total, 0, stage="pull", unit="rows"))
        writer.finish(info.failures)
        writer.close()
    except BaseException:
        writer.abandon()
        raise
    return writer.count


def _blocks(table: VectorTable, info: TableInfo, batch: int) -> Generator[StoredRows, None, None]:
    """Go through the table, and refuse what penult did not write.

    Raises
    ------
    DatabaseError
    """
    known = set(info.label_names)
    for rows in table.scan(batch):
        for one, labels, split in zip(rows.ids, rows.labels, rows.splits, strict=True):
            strange = [label for label in labels if label not in known]
            if strange or split not in _SPLITS or (len(labels) > 1 and not info.several):
                what = f"the label {strange[0]!r}" if strange else f"{len(labels)} labels"
                what = what if split in _SPLITS else f"the split {split!r}"
                raise DatabaseError(
                    f"{table.address}: the row {one} has {what}, which penult did not write; "
                    "change labels in a feature file, and push that"
                )
        if not np.isfinite(rows.rows).all():
            raise DatabaseError(f"{table.address} has rows with NaN or infinite numbers")
        yield rows

"""Tables about rows, CSV and Parquet: some columns of them, read."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penult.errors import FileFormatError, MissingExtraError, WrongFileError
from penult.inputs import refuse_unread, require_file
from penult.representation import short_text
from penult.wording import count

if TYPE_CHECKING:
    Choose = Callable[[Sequence[str]], Mapping[str, int]]

__all__ = ["Table", "read_table", "require_parquet"]


@dataclass(frozen=True)
class Table:
    """Columns that were read.

    Attributes
    ----------
    columns : mapping of str to list
        Of CSV all cells are texts; of Parquet they have the types that it has.
    metadata : mapping of bytes to bytes
        What the schema of Parquet says beside its columns.
    """

    columns: dict[str, list[Any]]
    metadata: Mapping[bytes, bytes] = field(default_factory=dict)


def require_parquet() -> tuple[Any, Any]:
    """Import pyarrow.

    Raises
    ------
    MissingExtraError
    """
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise MissingExtraError("a .parquet file", "parquet") from error
    return pa, parquet


def read_table(path: Path, choose: Choose, *, what: str, hint: str) -> Table:
    """Read some columns of a table.

    Parameters
    ----------
    path : path
        ``.parquet``, or else CSV, of penult or of another program.
    choose : callable
        From the names of all columns, without blanks around them, to the places of those wanted.
    what : str
        What the table is, in a message.
    hint : str
        What makes one.

    Raises
    ------
    PathNotFoundError, WrongFileError
        If there is no such file.
    FileFormatError
        If a line of it is too short, and as `choose` does.
    MissingExtraError
        If it is Parquet, and pyarrow is not installed.
    """
    require_file(path, what, (".csv", ".parquet"), hint)
    if path.suffix.lower() in (".parquet", ".pq"):
        return _read_parquet(path, choose, hint)
    return Table(_read_csv(path, choose, hint))


def _read_csv(path: Path, choose: Choose, hint: str) -> dict[str, list[Any]]:
    from penult.images.labels.csv_cells import read_cells

    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            cells = read_cells(file)
            _, header = next(cells, (1, []))
            wanted = choose([name.strip() for name in header])
            return dict(zip(wanted, _columns(path, cells, [*wanted.values()]), strict=True))
    except (csv.Error, UnicodeDecodeError) as error:
        raise WrongFileError(f"{path} is no CSV file: {error}; {hint}") from error


def _columns(
    path: Path, lines: Iterable[tuple[int, list[str]]], places: Sequence[int]
) -> list[list[str]]:
    columns: list[list[str]] = [[] for _ in places]
    for line, cells in lines:
        if not any(cells):
            continue
        if len(cells) <= max(places):
            raise FileFormatError(
                f"{path}, line {line:,}, has {count(len(cells), 'cell')}; add the others"
            )
        for column, place in zip(columns, places, strict=True):
            column.append(cells[place])
    return columns


def _read_parquet(path: Path, choose: Choose, hint: str) -> Table:
    pa, parquet = require_parquet()
    try:
        schema = parquet.read_schema(path)
        names = [str(name) for name in schema.names]
        wanted = choose([name.strip() for name in names])
        asked = {name: names[place] for name, place in wanted.items()}
        for name in asked.values():
            if names.count(name) > 1:
                raise FileFormatError(f"{path} has the column {short_text(name)} twice")
        table = parquet.read_table(path, columns=[*asked.values()])
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        refuse_unread(path, error)
        cause = str(error).splitlines()[0]
        raise WrongFileError(f"{path} is no Parquet file: {cause}; {hint}") from error
    columns = {name: table[there].to_pylist() for name, there in asked.items()}
    return Table(columns, schema.metadata or {})

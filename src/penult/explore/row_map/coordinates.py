"""Tables of coordinates, CSV and Parquet: written, and read to draw a map again."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from penult.errors import FileFormatError
from penult.explore.part import Part
from penult.explore.tables import read_table, require_parquet
from penult.interface import command
from penult.messages import escape_formula
from penult.output import atomic_output, atomic_text
from penult.representation import short_text
from penult.tabular import kind_of, row_map_columns
from penult.wording import listed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records import RowMap

__all__ = ["Coordinates", "coordinates_of", "read_coordinates", "write_coordinates"]

_KEY = b"penult.map"
_METHODS, _METRICS = ("pca", "tsne", "umap"), ("cosine", "euclidean")


@dataclass(frozen=True)
class Coordinates:
    """Coordinates that were read.

    Attributes
    ----------
    places : mapping of str to int
        Id to row of `xy`.
    xy : float32 array, shape (n, 2)
    about : mapping
        How they were made, as `RowMap.to_dict` has it; empty where the table does not say.
    """

    places: Mapping[str, int]
    xy: NDArray[np.float32]
    about: Mapping[str, Any] = field(default_factory=dict)


def write_coordinates(
    row_map: RowMap, path: Path, *, escape_formulas: bool = False, overwrite: bool = False
) -> None:
    """Write a map as a table, by its suffix CSV or Parquet, whole or not at all.

    Columns are ``id``, ``x``, ``y`` and those of `RowMap.columns`: ``label``, ``split`` and
    ``group`` where there are some, and what was given beside. Parquet
    keeps how the map was made as well, in the metadata of its schema.

    Parameters
    ----------
    row_map : RowMap
    path : path
    escape_formulas : bool, default=False
        In CSV, put an apostrophe before names that a spreadsheet would run.
    overwrite : bool, default=False
        Replace `path` if it exists.

    Raises
    ------
    OutputExistsError, PathNotFoundError, OutputError
    """
    columns = row_map_columns(row_map)
    if path.suffix.lower() == ".parquet":
        pa, parquet = require_parquet()
        made = {
            name: _array(pa, values)
            if isinstance(values, list | tuple)
            else pa.array(np.ascontiguousarray(values))
            for name, values in columns.items()
        }
        table = pa.table({str(_utf8(name)): values for name, values in made.items()})
        table = table.replace_schema_metadata({_KEY: json.dumps(row_map.to_dict())})
        with atomic_output(path, overwrite=overwrite) as temporary:
            parquet.write_table(table, temporary)
        return
    escape = escape_formula if escape_formulas else str
    with atomic_text(path, overwrite=overwrite) as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(map(escape, columns))
        for cells in zip(*columns.values(), strict=True):
            # The shortest digits that give a number back.
            table.writerow(
                [
                    escape(cell) if isinstance(cell, str) else "" if cell is None else str(cell)
                    for cell in cells
                ]
            )


def read_coordinates(path: Path) -> Coordinates:
    """Read the columns ``id``, ``x`` and ``y`` of a table; others are not looked at.

    Parameters
    ----------
    path : path
        ``.parquet``, or else CSV, of penult or of another program.

    Raises
    ------
    PathNotFoundError, WrongFileError
        If there is no such file.
    FileFormatError
        If it has no such columns, an id twice, or coordinates that are no numbers.
    MissingExtraError
        If it is Parquet, and pyarrow is not installed.
    """
    hint = f"make one with: {command('map', 'FEATURES', output='map.csv')}"
    table = read_table(
        path, lambda names: _wanted(path, names, hint), what="a table of coordinates", hint=hint
    )
    columns, about = table.columns, _about(table.metadata.get(_KEY, b"{}"))
    columns["id"] = [str(one) for one in columns["id"]]
    xy = np.stack([_numbers(path, columns["id"], columns[name], name) for name in "xy"], axis=1)
    places: dict[str, int] = {}
    for place, one in enumerate(columns["id"]):
        if places.setdefault(one, place) != place:
            raise FileFormatError(f"{path} has the id {short_text(one)} twice; leave one out")
    if not places:
        raise FileFormatError(f"{path} has no rows; {hint}")
    return Coordinates(places, xy, about)


def coordinates_of(row_map: RowMap) -> Coordinates:
    """Take the coordinates of a map, as `read_coordinates` would from its Parquet file."""
    places = {str(one): place for place, one in enumerate(row_map.ids)}
    about = _about(json.dumps(row_map.to_dict()).encode())
    return Coordinates(places, np.asarray(row_map.xy, np.float32), about)


def _wanted(path: Path, header: Sequence[str], hint: str) -> dict[str, int]:
    if missing := [name for name in ("id", "x", "y") if name not in header]:
        has = listed([short_text(name, 30) for name in header]) or "none"
        raise FileFormatError(
            f"{path} has no column {listed(missing)} (it has {has}); give a table with the "
            f"columns id, x and y, or {hint}"
        )
    return {name: header.index(name) for name in ("id", "x", "y")}


def _about(text: bytes) -> Mapping[str, Any]:
    """What a table says of itself, as far as it can be believed."""
    try:
        about = json.loads(text)
    except ValueError:
        return {}
    fits = (
        isinstance(about, dict)
        and about.get("method") in _METHODS
        and about.get("metric") in _METRICS
        and about.get("fit_on") in (None, *get_args(Part))
        and isinstance(about.get("params"), dict)
        and all(isinstance(one, int | float | str) for one in [*about["params"].values()])
    )
    return about if fits else {}


def _numbers(
    path: Path, ids: Sequence[str], values: Iterable[Any], name: str
) -> NDArray[np.float32]:
    given = [*values]
    with np.errstate(over="ignore"):
        numbers = np.array([*map(_number, given)], np.float32)
    if not (finite := np.isfinite(numbers)).all():
        place = int(np.argmin(finite))
        raise FileFormatError(
            f"{path}: {name} of {short_text(str(ids[place]))} is {short_text(repr(given[place]))}; "
            "give a finite number"
        )
    return numbers


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")


def _array(pa: Any, values: Sequence[Any]) -> Any:
    kind = kind_of(values)
    if kind is str:
        return pa.array([*map(_utf8, values)], pa.string())
    kinds = {bool: pa.bool_(), int: pa.int64(), float: pa.float64()}
    return pa.array(values, kinds[kind])


def _utf8(text: str | None) -> str | None:
    return None if text is None else text.encode("utf-8", "backslashreplace").decode()

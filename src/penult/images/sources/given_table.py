"""Images that a program names in a table in memory: a DataFrame, or a list of paths with labels."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from numbers import Integral, Real
from typing import Any, Protocol

from penult.errors import SourceError, UsageError
from penult.images.labels.columns import find_label_column, find_path_column
from penult.images.labels.manifest_rows import (
    ManifestRow,
    labels_of_cell,
    parse_split,
    unique_labels,
)
from penult.interface import option
from penult.representation import what_given
from penult.texts import composed
from penult.wording import count

__all__ = ["DataFrame", "GivenTable", "is_frame", "is_missing", "labelled_paths", "table_of"]

_COLUMNS = ("id", "split", "group")


class DataFrame(Protocol):
    """A table with named columns: pandas' or Polars' DataFrame."""

    @property
    def columns(self) -> Any:
        """The names."""

    def __getitem__(self, column: Any) -> Any:
        """Return the values of a column."""


class GivenTable(str):
    """A table that names images, given as a source; as a text it says what it is.

    Attributes
    ----------
    columns : mapping of str to list
        By their names in lower case, all of one length.
    """

    __slots__ = ("columns",)
    columns: Mapping[str, Sequence[Any]]

    @classmethod
    def of(cls, told: str, columns: Mapping[str, Sequence[Any]]) -> GivenTable:
        """Make one."""
        table = cls(told)
        table.columns = columns
        return table

    def __reduce__(self) -> Any:
        return GivenTable.of, (str(self), self.columns)

    def rows(self, path: str | None = None, label: str | None = "") -> Iterator[ManifestRow]:
        """Read it as the CSV file that it could have been written to, rows counted from 0."""
        names = list(self.columns)
        place, found = find_path_column(names, path, self), find_label_column(names, label, self)
        if place is None:
            raise SourceError(
                f"{self} has no column path; its columns are {', '.join(names)}; "
                f"{option('path_column', 'NAME')} says which is meant"
            )
        told = [name for name in _COLUMNS if name in names]
        for number, cell in enumerate(self.columns[place]):
            name = f"{self}, row {number}"
            if _is_nothing(cell):
                raise SourceError(f"{name}: the {place} is empty")
            if not isinstance(cell, str | os.PathLike):
                raise SourceError(f"{name}: the {place} is {what_given(cell)}; give a path")
            texts = {one: _text(self.columns[one][number]) for one in told}
            yield ManifestRow(
                number,
                os.fspath(cell),
                texts.get("id", ""),
                None if found is None else _labels(self.columns[found][number], name),
                parse_split(texts.get("split", ""), name),
                texts.get("group") or None,
            )


def is_frame(value: Any) -> bool:
    """Whether something is a DataFrame; nothing is imported to see."""
    return hasattr(value, "columns") and (hasattr(value, "iloc") or hasattr(value, "__dataframe__"))


def is_missing(cell: Any) -> bool:
    """Whether a cell of a table, or an element of a list, stands for none: None, NaN, pandas' NA.

    Parameters
    ----------
    cell : object
        Of any type.
    """
    # The types of pandas' NA and NaT cannot be asked for without importing it; and NA is neither
    # equal to itself nor unequal.
    if cell is None or type(cell).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(cell, Real) and math.isnan(cell)


def table_of(frame: Any) -> GivenTable:
    """Take a DataFrame for a list of images.

    Raises
    ------
    UsageError
        If it has no rows, or two columns of one name.
    """
    names = [composed(str(name)).strip().lower() for name in frame.columns]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(f"{what_given(frame)} has more than one column {' and '.join(twice)}")
    columns = {name: list(frame[one]) for name, one in zip(names, frame.columns, strict=True)}
    return GivenTable.of(what_given(frame), columns)


def labelled_paths(images: Any, labels: Iterable[Any]) -> GivenTable:
    """Put labels beside the paths, or the table, that they are of, in the same order.

    Raises
    ------
    UsageError
        If it is no list, or there are more or fewer labels.
    """
    labels = list(labels)
    if is_frame(images):
        images = table_of(images)
    elif not isinstance(images, list) or not isinstance(images[0] if images else "", GivenTable):
        if isinstance(images, str | bytes | os.PathLike) or not isinstance(images, Iterable):
            raise UsageError(
                f"a list of {count(len(labels), 'label')} goes with a list of as many paths, and "
                f"images is {what_given(images)}"
            )
        paths = list(images)
        images = GivenTable.of(f"a list of {count(len(paths), 'path')}", {"path": paths})
    else:
        images = images[0]
    length = len(next(iter(images.columns.values()), ()))
    if length != len(labels):
        raise UsageError(f"{images} and {count(len(labels), 'label')} were given; give as many")
    return GivenTable.of(str(images), {**images.columns, "label": labels})


def _labels(cell: Any, place: str) -> tuple[str, ...]:
    several = cell if isinstance(cell, list | tuple | set | frozenset) else [cell]
    for one in several:
        if getattr(one, "shape", ()) != ():
            raise UsageError(f"a label is {what_given(one)}; give a text or a number")
    return unique_labels(part for one in several for part in labels_of_cell(_text(one), place))


def _text(cell: Any) -> str:
    """Write a cell as a CSV file has it; a column with gaps holds whole numbers as floats."""
    if _is_nothing(cell):
        return ""
    if isinstance(cell, Real) and not isinstance(cell, Integral) and float(cell).is_integer():
        return str(int(float(cell)))  # NumPy's float32 as well
    return str(cell).strip()


def _is_nothing(cell: Any) -> bool:
    return is_missing(cell) or (isinstance(cell, str) and not cell)

"""CSV files that name images and say what is known of them."""

from __future__ import annotations

import csv
import io
import os
import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TextIO

from penult.errors import SourceError
from penult.images.labels.annotations import SPLITS, Found, Known, one_form
from penult.images.labels.csv_cells import read_cells
from penult.texts import composed

__all__ = ["LabelTable", "Row", "csv_rows", "label_column", "split_named", "unique"]


@dataclass(frozen=True, slots=True)
class Row:
    """What a table says of one image.

    Attributes
    ----------
    line : in the file, counted from 1
    path : of the image, as it stands there
    id : that the table gives it, or ""
    labels : None where the table has no such column
    """

    line: int
    path: str
    id: str = ""
    labels: tuple[str, ...] | None = None
    split: str | None = None
    group: str | None = None

    @property
    def known(self) -> Known:
        """Labels, split and group."""
        return Known(one_form(self.labels or ()), self.split, composed(self.group or "") or None)


def csv_rows(
    name: str,
    open_file: Callable[[], BinaryIO],
    *,
    label: str | None = None,
    needs_label: bool = False,
) -> Iterator[Row]:
    """Read a CSV file row by row: column ``path``; ``label``, ``split``, ``group``, ``id`` if any.

    Parameters
    ----------
    name : of the file, for messages
    label : the column of the labels; ``label`` or ``labels`` by default. Several in one cell are
        separated by ``|``
    needs_label : it is an error if that column is not there

    Raises
    ------
    SourceError
        If it cannot be read or lacks a column; names the line.
    """
    try:
        with io.TextIOWrapper(open_file(), encoding="utf-8-sig", newline="") as stream:
            yield from _parse(name, stream, label, needs_label=needs_label)
    except UnicodeDecodeError as error:
        raise SourceError(
            f"{name} is not UTF-8 text (byte {error.start}); save it as 'CSV UTF-8'"
        ) from error
    except csv.Error as error:
        raise SourceError(f"{name} is not a readable CSV file: {error}") from error
    except OSError as error:
        raise SourceError(f"{name} cannot be read: {error.strerror or error}") from error


def _parse(name: str, stream: TextIO, label: str | None, *, needs_label: bool) -> Iterator[Row]:
    rows = read_cells(stream)
    columns = _names(next(rows, (1, []))[1])
    if any("\0" in column for column in columns):
        raise SourceError(f"{name} is not UTF-8 text (NUL characters); save it as 'CSV UTF-8'")
    label, wanted = label_column(columns, label), label
    must = ["path", *(["label"] if needs_label else []), *([wanted] if wanted else [])]
    missing = [c for c in must if c.lower() not in columns and not (c == "label" and label)]
    if missing:
        there = ", ".join(columns) if any(columns) else "nothing"
        raise SourceError(
            f"{name} has no column {' and no column '.join(missing)}; its first line must "
            f"name the columns path and label (and split, if you like), and names {there}"
        )
    twice = sorted({column for column in columns if column and columns.count(column) > 1})
    if twice:
        raise SourceError(f"{name} has more than one column {' and '.join(twice)}; keep one")
    for line, cells in rows:
        if not any(cell.strip() for cell in cells):
            continue
        place = f"{name}, line {line}"
        if _is_header(cells, columns, place):
            continue
        if len(cells) != len(columns):
            raise SourceError(
                f"{place}: {len(cells)} values for {len(columns)} columns; put a value that holds "
                f"a comma in double quotes"
            )
        row = dict(zip(columns, (cell.strip() for cell in cells), strict=True))
        yield _row(place, line, row, label)


def _is_header(cells: list[str], columns: list[str], place: str) -> bool:
    """Whether a row is the header once more, as where files were joined end to end."""
    if _names(cells[:1])[0] not in columns or sorted(_names(cells)) != sorted(columns):
        return False
    if _names(cells) != columns:
        raise SourceError(
            f"{place}: another header, with its columns in another order; give each list by itself"
        )
    return True


def _names(cells: list[str]) -> list[str]:
    """Names of columns; a file in the middle may begin with a byte order mark too."""
    return [composed(cell.strip().removeprefix("\ufeff").strip()).lower() for cell in cells]


def label_column(columns: list[str], label: str | None) -> str | None:
    """The column that holds the labels, of these, or None."""
    wanted = (composed(label).lower(),) if label else ("label", "labels")
    return next((column for column in wanted if column in columns), None)


def _row(place: str, line: int, cells: Mapping[str, str], label: str | None) -> Row:
    if not cells["path"]:
        raise SourceError(f"{place}: the path is empty")
    for column in ("path", "id", "group", label or ""):
        if "\0" in cells.get(column, ""):
            raise SourceError(f"{place}: there is a NUL character in the column {column}")
    labels = None if label is None else unique(cells[label].split("|"))
    split, group = split_named(cells.get("split", ""), place), cells.get("group") or None
    return Row(line, cells["path"], cells.get("id", ""), labels, split, group)


def unique(labels: Iterable[str]) -> tuple[str, ...]:
    """Labels without spaces around them, each once, none empty."""
    return tuple(dict.fromkeys(label for label in map(str.strip, labels) if label))


def split_named(split: str, place: str) -> str | None:
    """What a table's word for a split means; "" is none.

    Raises
    ------
    SourceError
        If it is no such word; names the place.
    """
    if split and split.lower() not in SPLITS:
        raise SourceError(f"{place}: the split {split!r} is none of {', '.join(SPLITS)}")
    return SPLITS.get(split.lower())


class LabelTable:
    """Labels by path: columns ``path`` and ``label``, if need be ``split`` and ``group``.

    A path is an image's id (relative to the source folder), or relative to the table's own folder,
    or absolute; in whichever Unicode form, where that is clear. Several labels are separated by
    ``|``. An image that the table lacks has no label.

    Parameters
    ----------
    file : comma-, semicolon- or tab-separated, UTF-8 with or without a byte order mark

    Raises
    ------
    SourceError
        If it cannot be read, lacks a column, or contradicts itself; names the line.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self._rows: dict[str, Row] = {}
        self._matched: set[int] = set()
        self._answered: dict[int, str] = {}  # a line, and the image that it names in another form
        for row in csv_rows(str(file), lambda: file.open("rb"), needs_label=True):
            for key in _keys(row.path):
                self._refuse_contradiction(self._rows.setdefault(key, row), row)
        self._by_file = {
            os.path.normpath(file.absolute().parent / key): row for key, row in self._rows.items()
        }
        self._by_form: dict[str, Row] = {}
        for key, row in (*self._rows.items(), *self._by_file.items()):
            if not key.isascii():
                self._by_form.setdefault(composed(key), row)

    def __call__(self, found: Found) -> Known:
        """What the table says of an image; its split defaults to that of its folder."""
        by_id = self._rows.get(found.id)
        row = by_id
        if found.path is not None:
            row = self._by_file.get(os.path.abspath(found.path), by_id)  # noqa: PTH100 - no links
        if row is None:
            row = self._in_another_form(found)
        elif row.line in self._answered:
            raise self._unclear(row, found.id)
        if row is None:
            return Known(split=found.split, group=found.group)
        if by_id is not None:
            self._refuse_contradiction(by_id, row)
            self._matched.add(by_id.line)
        self._matched.add(row.line)
        return Known(row.labels or (), row.split or found.split, row.group or found.group)

    def _in_another_form(self, found: Found) -> Row | None:
        places = (found.id, os.path.abspath(found.path or ""))  # noqa: PTH100 - no links
        rows = [self._by_form.get(composed(place)) for place in places if not place.isascii()]
        row = next(filter(None, rows), None)
        if row is not None:
            if row.line in self._matched or row.line in self._answered:
                raise self._unclear(row, found.id)
            self._answered[row.line] = found.id
        return row

    def _unclear(self, row: Row, image: str) -> SourceError:
        other = self._answered.get(row.line, row.path)
        return SourceError(
            f"{self.file}, line {row.line}: {row.path} may name two images, which differ only in "
            f"Unicode form: {other!a} and {image!a}; rename one, or give each a line"
        )

    @property
    def matched(self) -> bool:
        """Whether any image so far was in the table."""
        return bool(self._matched)

    def unmatched(self) -> list[str]:
        """The paths in the table that no image so far answered to, in the table's order."""
        rows = {row.line: row.path for row in self._rows.values()}
        return [path for line, path in rows.items() if line not in self._matched]

    def _refuse_contradiction(self, first: Row, second: Row) -> None:
        if first.known != second.known:
            raise SourceError(
                f"{self.file}, line {second.line}: {second.path} is {second.known.in_words()}, "
                f"but line {first.line} says {first.known.in_words()}"
            )


def _keys(path: str) -> set[str]:
    # On Windows tables are written with backslashes; elsewhere one may belong to a name.
    return {posixpath.normpath(path), posixpath.normpath(path.replace("\\", "/"))}

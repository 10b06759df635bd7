"""The rows of CSV files that name images and annotate them."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import BinaryIO, TextIO

from penult.errors import SourceError
from penult.images.labels.annotations import SPLITS, Annotation, normalized
from penult.images.labels.columns import find_label_column, find_path_column
from penult.images.labels.csv_cells import explained, read_cells
from penult.interface import option
from penult.texts import composed
from penult.wording import count

__all__ = ["ManifestRow", "csv_rows", "labels_of_cell", "parse_split", "unique_labels"]


@dataclass(frozen=True, slots=True)
class ManifestRow:
    """What one row of a manifest or a label file says of an image.

    Attributes
    ----------
    line : int
        Its line in the file, counted from 1.
    path : str
        The path of the image, as it stands there.
    id : str
        The id that the row gives the image, or "".
    labels : tuple of str or None
        None where there is no such column.
    split, group : str or None
        None where the row says none.
    """

    line: int
    path: str
    id: str = ""
    labels: tuple[str, ...] | None = None
    split: str | None = None
    group: str | None = None

    @property
    def annotation(self) -> Annotation:
        """Labels, split and group, in one Unicode form."""
        group = composed(self.group or "") or None
        return Annotation(normalized(self.labels or ()), self.split, group)


def csv_rows(
    name: str,
    open_file: Callable[[], BinaryIO],
    *,
    path: str | None = None,
    label: str | None = "",
    needs_label: bool = False,
) -> Iterator[ManifestRow]:
    """Read a CSV file row by row: column ``path``; ``label``, ``split``, ``group``, ``id`` if any.

    Other usual names of the first two are known as well; see `penult.images.labels.columns`.

    Parameters
    ----------
    name : str
        The file's name, for messages.
    open_file : callable
        Opens the file.
    path : str, optional
        The column that names the images, if it is none of the usual ones.
    label : str or None
        The column of the labels; "" for the usual one, None leaves them unread. Several in one cell
        are separated by ``|``.
    needs_label : bool
        Whether it is an error if that column is not there.

    Raises
    ------
    SourceError
        If it cannot be read or lacks a column; names the line.
    """
    with explained(name):
        whole: bool | None = None
        for row in _rows(name, open_file, path, label, needs_label=needs_label):
            if whole is None and row.labels:
                whole = _is_decimal(row.labels) and _hold_gaps_and_whole_numbers(
                    _rows(name, open_file, path, label, needs_label=needs_label)
                )
            labels = row.labels and tuple(one.removesuffix(".0") for one in row.labels)
            yield replace(row, labels=labels) if whole else row


def _rows(
    name: str,
    open_file: Callable[[], BinaryIO],
    path: str | None,
    label: str | None,
    *,
    needs_label: bool,
) -> Iterator[ManifestRow]:
    with io.TextIOWrapper(open_file(), encoding="utf-8-sig", newline="") as stream:
        yield from _parse(name, stream, path, label, needs_label=needs_label)


def _hold_gaps_and_whole_numbers(rows: Iterable[ManifestRow]) -> bool:
    """Whether labels are 0.0, 1.0 and so on and some are missing: pandas writes 0 and 1 so then."""
    labels = [row.labels or () for row in rows]
    return not all(labels) and all(map(_is_decimal, labels))


def _is_decimal(labels: tuple[str, ...]) -> bool:
    return all(re.fullmatch(r"-?\d+\.0", label) for label in labels)


def _parse(
    name: str, stream: TextIO, path: str | None, label: str | None, *, needs_label: bool
) -> Iterator[ManifestRow]:
    rows = read_cells(stream)
    columns = _names(next(rows, (1, []))[1])
    if any("\0" in column for column in columns):
        raise SourceError(f"{name} is not UTF-8 text (NUL characters); save it as 'CSV UTF-8'")
    path, label = find_path_column(columns, path, name), find_label_column(columns, label, name)
    missing = [c for c, found in (("path", path), ("label", label or not needs_label)) if not found]
    if missing:
        there = ", ".join(columns) if any(columns) else "nothing"
        choices = " and ".join(option(f"{c}_column", "NAME") for c in missing)
        raise SourceError(
            f"{name} has no column {' and no column '.join(missing)}; its first line must "
            f"name the columns path and label (and split, if you like), and names {there}; "
            f"{choices} {'says' if len(missing) == 1 else 'say'} which is meant"
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
            few = "write the others too, if with nothing between the commas"
            many = "put a value that holds a comma in double quotes"
            raise SourceError(
                f"{place}: {count(len(cells), 'value')} for {count(len(columns), 'column')}; "
                f"{few if len(cells) < len(columns) else many}"
            )
        row = dict(zip(columns, (cell.strip() for cell in cells), strict=True))
        yield _row(place, line, row, path or "", label)


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


def _row(
    place: str, line: int, cells: Mapping[str, str], path: str, label: str | None
) -> ManifestRow:
    if not cells[path]:
        raise SourceError(f"{place}: the {path} is empty")
    for column in (path, "id", "group", label or ""):
        if "\0" in cells.get(column, ""):
            raise SourceError(f"{place}: there is a NUL character in the column {column}")
    labels = None if label is None else labels_of_cell(cells[label], place)
    split, group = parse_split(cells.get("split", ""), place), cells.get("group") or None
    return ManifestRow(line, cells[path], cells.get("id", ""), labels, split, group)


def unique_labels(labels: Iterable[str]) -> tuple[str, ...]:
    """Labels without spaces around them, each once, none empty."""
    return tuple(dict.fromkeys(label for label in map(str.strip, labels) if label))


def labels_of_cell(cell: str, place: str) -> tuple[str, ...]:
    """The labels that a table's cell names, separated by bars; none where it is empty.

    Raises
    ------
    SourceError
        If it has bars and no label, and so says neither that there is one nor that there is none.
    """
    labels = unique_labels(cell.split("|"))
    if not labels and cell.strip():
        raise SourceError(
            f"{place}: the label is {cell.strip()!r}, which separates labels, and there are none; "
            "write the label, or leave the cell empty for none"
        )
    return labels


def parse_split(split: str, place: str) -> str | None:
    """The split that a table's cell names; None where the cell is empty.

    Raises
    ------
    SourceError
        If it names no split; says where.
    """
    if split and split.lower() not in SPLITS:
        raise SourceError(f"{place}: the split {split!r} is none of {', '.join(SPLITS)}")
    return SPLITS.get(split.lower())

"""A CSV file that names images and their labels."""

from __future__ import annotations

import csv
import os
import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from penult.errors import SourceError
from penult.images.labels import SPLITS, Found, Known

__all__ = ["LabelTable"]


@dataclass(frozen=True)
class _Row:
    line: int
    path: str
    known: Known


class LabelTable:
    """Labels by path: columns ``path`` and ``label``, if need be ``split`` and ``group``.

    A path is an image's id (relative to the source folder), or relative to the table's own folder,
    or absolute. Several labels are separated by ``|``. An image that the table lacks has no label.

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
        self._rows: dict[str, _Row] = {}
        self._matched: set[int] = set()
        for row in self._read():
            for key in _keys(row.path):
                self._refuse_contradiction(self._rows.setdefault(key, row), row)
        self._by_file = {
            os.path.normpath(file.absolute().parent / key): row for key, row in self._rows.items()
        }

    def __call__(self, found: Found) -> Known:
        """What the table says of an image; its split defaults to that of its folder."""
        by_id = self._rows.get(found.id)
        row = self._by_file.get(os.path.normpath(found.path.absolute()), by_id)
        if row is None:
            return Known(split=found.split)
        if by_id is not None:
            self._refuse_contradiction(by_id, row)
            self._matched.add(by_id.line)
        self._matched.add(row.line)
        known = row.known
        return Known(known.labels, known.split or found.split, known.group)

    @property
    def matched(self) -> bool:
        """Whether any image so far was in the table."""
        return bool(self._matched)

    def unmatched(self) -> list[str]:
        """The paths in the table that no image so far answered to, in the table's order."""
        rows = {row.line: row.path for row in self._rows.values()}
        return [path for line, path in rows.items() if line not in self._matched]

    def _read(self) -> Iterator[_Row]:
        try:
            with self.file.open(encoding="utf-8-sig", newline="") as stream:
                yield from self._parse(stream)
        except UnicodeDecodeError as error:
            raise SourceError(
                f"{self.file} is not UTF-8 text (byte {error.start}); save it as 'CSV UTF-8'"
            ) from error
        except csv.Error as error:
            raise SourceError(f"{self.file} is not a readable CSV file: {error}") from error
        except OSError as error:
            raise SourceError(f"{self.file} cannot be read: {error.strerror}") from error

    def _parse(self, stream: TextIO) -> Iterator[_Row]:
        header = stream.readline()
        stream.seek(0)
        reader = csv.reader(stream, delimiter=_delimiter(header), strict=True)
        columns = [name.strip().lower() for name in next(reader, [])]
        missing = [name for name in ("path", "label") if name not in columns]
        if missing:
            there = ", ".join(columns) if any(columns) else "nothing"
            raise SourceError(
                f"{self.file} has no column {' and no column '.join(missing)}; its first line must "
                f"name the columns path and label (and split, if you like), and names {there}"
            )
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            line = reader.line_num
            if len(cells) != len(columns):
                raise SourceError(
                    f"{self.file}, line {line}: {len(cells)} values for {len(columns)} columns; "
                    "put a value that holds a comma in double quotes"
                )
            yield self._row(line, dict(zip(columns, cells, strict=True)))

    def _row(self, line: int, cells: Mapping[str, str]) -> _Row:
        path = cells["path"].strip()
        if not path:
            raise SourceError(f"{self.file}, line {line}: the path is empty")
        split = cells.get("split", "").strip()
        if split and split.lower() not in SPLITS:
            raise SourceError(
                f"{self.file}, line {line}: the split {split!r} is none of {', '.join(SPLITS)}"
            )
        labels = (label.strip() for label in cells["label"].split("|"))
        known = Known(
            labels=tuple(dict.fromkeys(label for label in labels if label)),
            split=SPLITS.get(split.lower()),
            group=cells.get("group", "").strip() or None,
        )
        return _Row(line, path, known)

    def _refuse_contradiction(self, first: _Row, second: _Row) -> None:
        if first.known != second.known:
            raise SourceError(
                f"{self.file}, line {second.line}: {second.path} is {_words(second.known)}, "
                f"but line {first.line} says {_words(first.known)}"
            )


def _keys(path: str) -> set[str]:
    # On Windows tables are written with backslashes; elsewhere one may belong to a name.
    return {posixpath.normpath(path), posixpath.normpath(path.replace("\\", "/"))}


def _delimiter(header: str) -> str:
    # Spreadsheets write semicolons where the comma is the decimal sign.
    return max(",;\t", key=header.count)


def _words(known: Known) -> str:
    words = [" | ".join(known.labels) or "unlabelled", known.split, known.group]
    return ", ".join(word for word in words if word)

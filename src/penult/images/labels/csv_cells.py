"""The cells of a CSV file, however long they are, and however people write them."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, TextIO

from penult.errors import SourceError
from penult.inputs import unreadable
from penult.locks import ForkSafeLock

__all__ = ["explained", "read_cells"]

_LONGEST_CELL = 1 << 28
_ROWS_AT_ONCE = 64
_limit = ForkSafeLock()


@contextmanager
def explained(name: str) -> Iterator[None]:
    """Turn whatever is raised over a CSV file of a name into one line.

    Raises
    ------
    SourceError
    """
    try:
        yield
    except UnicodeDecodeError as error:
        raise SourceError(
            f"{name} is not UTF-8 text (byte {error.start}); save it as 'CSV UTF-8'"
        ) from error
    except csv.Error as error:
        raise SourceError(f"{name} is not a readable CSV file: {error}") from error
    except OSError as error:
        raise unreadable(name, error) from error


def read_cells(stream: TextIO) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of each line and its cells, whatever separates them.

    Raises
    ------
    csv.Error, UnicodeDecodeError
    """
    # Spreadsheets write semicolons where the comma is the decimal sign.
    delimiter = max(",;\t", key=stream.readline().count)
    stream.seek(0)
    reader = csv.reader(stream, delimiter=delimiter, strict=True)
    while rows := _next_rows(reader):
        yield from rows


def _next_rows(reader: Any) -> list[tuple[int, list[str]]]:
    # The longest cell that the library allows, 131,072 characters, is the whole process's: another
    # limit holds only while some rows are parsed, and not between them, when others may read.
    with _limit:
        usual = csv.field_size_limit(_LONGEST_CELL)
        try:
            return [(reader.line_num, cells) for cells in islice(reader, _ROWS_AT_ONCE)]
        finally:
            csv.field_size_limit(usual)

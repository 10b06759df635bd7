"""The cells of a CSV file, however long they are, and however people write them."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, TextIO

from penult.errors import SourceError, WrongFileError
from penult.images.other_files import other_kind
from penult.inputs import unreadable
from penult.locks import ForkSafeLock

__all__ = ["OtherKindError", "explained", "read_cells"]

_LONGEST_CELL = 1 << 28
_ROWS_AT_ONCE = 64
_limit = ForkSafeLock()


class OtherKindError(csv.Error):
    """A file of another kind, where a table is wanted.

    Parameters
    ----------
    kind : str
        What it is, ``"a feature file"``.
    """

    def __init__(self, kind: str) -> None:
        super().__init__(f"it is {kind}")
        self.kind = kind


@contextmanager
def explained(name: str) -> Iterator[None]:
    """Turn whatever is raised over a CSV file of a name into one line.

    Raises
    ------
    SourceError
        If it cannot be read.
    WrongFileError
        If it is a file of another kind.
    """
    try:
        yield
    except OtherKindError as error:
        remedy = "save it as 'CSV UTF-8'" if "spreadsheet" in error.kind else "give a CSV file"
        raise WrongFileError(f"{name} is {error.kind}, not a table of text; {remedy}") from error
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
    OtherKindError
        Which is a csv.Error, if it is a file of another kind: an image or a feature file, say.
    """
    if (kind := other_kind(stream.buffer)) is not None:
        raise OtherKindError(kind)
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

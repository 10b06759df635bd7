"""A list of labels that look wrong, once somebody has looked through it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TextIO

from penult.errors import SourceError
from penult.images.labels.columns import find_label_column, find_path_column
from penult.images.labels.csv_cells import explained, read_cells
from penult.images.labels.manifest_rows import labels_of_cell
from penult.inputs import require_file
from penult.interface import option
from penult.texts import composed
from penult.wording import shorten

__all__ = ["ReviewedLabel", "read_reviewed"]

_LONGEST_HEADER = 100  # characters of it in a message
_COLUMNS = ("id", "label", "suggested")


@dataclass(frozen=True)
class ReviewedLabel:
    """What a line says of an image.

    Attributes
    ----------
    line : int
        Its line in the file, counted from 1.
    id : str
        The image's id.
    label : str
        The label that the image had when the list was made; several are separated by ``|``.
    suggested : str
        The label that it is to have.
    """

    line: int
    id: str
    label: str
    suggested: str


def read_reviewed(file: Path) -> list[ReviewedLabel]:
    """Read a list like ``label_errors.csv``: columns ``id``, ``label`` and ``suggested``.

    Others are not looked at, nor are empty lines.

    Parameters
    ----------
    file : Path
        Comma-, semicolon- or tab-separated, UTF-8 with or without a byte order mark.

    Raises
    ------
    PathNotFoundError
        If it is not there.
    SourceError
        If it cannot be read, lacks a column, or a line says too little; names the line.
    """
    require_file(file, "a table of labels", (".csv",))
    with explained(str(file)), file.open(encoding="utf-8-sig", newline="") as stream:
        return list(_lines(file, stream))


def _lines(file: Path, stream: TextIO) -> Iterator[ReviewedLabel]:
    rows = read_cells(stream)
    header = [composed(one.strip()).lower() for one in next(rows, (1, []))[1]]
    if missing := [name for name in _COLUMNS if name not in header]:
        (named,) = shorten([", ".join(filter(None, header))], _LONGEST_HEADER)
        a_list = "id, label and suggested, as that of label_errors.csv does"
        a_table = "path and label, as that of a table does"
        lacks: list[Literal["path", "label"]] = []
        if "suggested" in header:  # it is a list, and nothing else is meant
            needed = f"{a_list},"
        elif find_path_column(header, None, str(file)):
            missing, lacks, needed = ["label"], ["label"], f"{a_table}, or {a_list},"
        else:
            lacks = ["path"]
            lacks += [] if find_label_column(header, "", str(file)) else ["label"]
            needed = f"{a_list}, or {a_table},"
        choices = " and ".join(option(f"{one}_column", "NAME") for one in lacks)
        says = "says" if len(lacks) == 1 else "say"
        raise SourceError(
            f"{file} has no column {missing[0]}; its first line has to name {needed} and names "
            f"{named or 'nothing'}{f'; {choices} {says} which is meant' if lacks and named else ''}"
        )
    places = [header.index(name) for name in _COLUMNS]
    for line, cells in rows:
        if any(cell.strip() for cell in cells):
            yield _reviewed(file, line, cells, places)


def _reviewed(file: Path, line: int, cells: list[str], places: Sequence[int]) -> ReviewedLabel:
    if len(cells) <= max(places):
        raise SourceError(f"{file}, line {line}: there are only {len(cells)} values")
    image, label, suggested = (cells[place] for place in places)
    if not image.strip():
        raise SourceError(f"{file}, line {line}: the id is empty")
    if not labels_of_cell(suggested, f"{file}, line {line}"):
        raise SourceError(
            f"{file}, line {line}: suggested is empty; write the right label there, or delete the "
            "line if the label is right as it is"
        )
    return ReviewedLabel(line, image, label, suggested)

"""A table of labels as it is written: what `LabelFile` reads."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from io import BytesIO, StringIO

from penult.errors import UsageError
from penult.images.labels.manifest_rows import csv_rows

__all__ = ["label_table"]


def label_table(columns: Mapping[str, Sequence[str | None]], name: str) -> bytes:
    """Write a table that `penult.extract` takes as its ``labels``, and make sure that it does.

    Parameters
    ----------
    columns : mapping of str to sequence of str or None
        ``id`` and ``label``, if need be ``split`` and ``group``, all of one length; several labels
        are separated by ``|``.
    name : str
        The table's, for messages.

    Returns
    -------
    bytes
        A CSV file in UTF-8 whose first column is ``path``.

    Raises
    ------
    UsageError
        If an image or its label would be read otherwise than it is meant, as a name of blanks.
    """
    rows = list(zip(*columns.values(), strict=True))
    label = list(columns).index("label")
    labels = [row[label] or "" for row in rows]
    if not all(labels) and all(re.fullmatch(r"(-?\d+\.0)?", one) for one in labels):
        # Beside gaps 1.0 is read as 1; an image that is not named has no label either.
        rows = [row for row in rows if row[label]]
    text = StringIO(newline="")
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["path" if column == "id" else column for column in columns])
    table.writerows(rows)
    # A file name that is no valid UTF-8 cannot be in a table; it is refused when it is read back.
    data = text.getvalue().encode("utf-8", errors="replace")
    _require_readable(name, data, rows, list(columns).index("id"), label)
    return data


def _require_readable(
    name: str, table: bytes, rows: Sequence[Sequence[str | None]], at_id: int, at_label: int
) -> None:
    read = list(csv_rows(name, lambda: BytesIO(table), needs_label=True))
    for place, row in enumerate(rows):
        image, label = row[at_id], row[at_label]
        if place >= len(read) or read[place].path != image:
            raise UsageError(f"a table of labels cannot name the image {image!r}; rename it")
        if "|".join(read[place].labels or ()) != (label or ""):
            read_as = " and ".join(map(repr, read[place].labels or ())) or "no label"
            raise UsageError(
                f"a table of labels cannot say that {image} is labelled {label!r}: it would be "
                f"read as {read_as}; rename the class"
            )

"""Which photo was in which part of a fine-tuning, as a table that other commands take."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from penult.output import atomic_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records import Features

__all__ = ["part_rows", "write_part_table"]


def part_rows(features: Features, **parts: NDArray[np.int64]) -> Iterator[tuple[str, str, str]]:
    """Name the photos of each part.

    Parameters
    ----------
    features : Features
        A row for each photo.
    **parts : int64 array
        Row numbers of ``train``, ``validation`` and ``test``.

    Yields
    ------
    (str, str, str)
        A photo's id, its label, several separated by ``|``, and its part; in the order of the rows.
    """
    names = list(map(str, features.label_names))
    split = {k: part for part, rows in parts.items() for k in rows.tolist()}
    for k in sorted(split):
        if features.targets is None:
            label = names[int(features.labels[k])]
        else:
            label = "|".join(names[int(j)] for j in np.flatnonzero(features.targets[k]))
        yield str(features.ids[k]), label, split[k]


def write_part_table(path: Path, rows: Iterable[tuple[str, str, str]]) -> None:
    """Write them as a table of labels, which ``--labels`` takes.

    Raises
    ------
    OutputExistsError, OutputError
    """
    with atomic_text(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("path", "label", "split"))
        writer.writerows(rows)

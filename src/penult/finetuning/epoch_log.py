"""What each epoch came to, as a table."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from penult.output import atomic_text

__all__ = ["Epochs", "write_log"]

Epochs = Sequence[Mapping[str, Any]]
"""Of each epoch, name to number: ``train_loss``, ``validation_loss``, ``validation_accuracy``, …"""


def write_log(
    path: Path,
    epochs: Epochs,
    *,
    start: Mapping[str, Any] | None = None,
    kept: int | None = None,
) -> None:
    """Write a CSV file with a row for each epoch, counted from 1 where they have no numbers.

    Parameters
    ----------
    path : Path
    epochs : sequence of mapping
    start : mapping, optional
        What the training started from: epoch 0.
    kept : int, optional
        The row, counted from 1, whose weights were kept; 0 for the start. It has a ``yes`` in the
        column ``kept``.

    Raises
    ------
    OutputExistsError, OutputError
    """
    numbered = [*([(0, start)] if start else []), *enumerate(epochs, 1)]
    # The start has nothing of a training: the columns come in the order of the epochs.
    columns = list(dict.fromkeys(name for _, one in reversed(numbered) for name in one))
    named = [] if "epoch" in columns else ["epoch"]
    marked = [] if kept is None else ["kept"]
    with atomic_text(path) as file:
        writer = csv.DictWriter(file, [*named, *columns, *marked], lineterminator="\n")
        writer.writeheader()
        for number, one in numbered:
            mark = {"kept": "yes" if number == kept else ""} if marked else {}
            writer.writerow({"epoch": number, **one, **mark})

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


def write_log(path: Path, epochs: Epochs) -> None:
    """Write a CSV file with a row for each epoch, counted from 1 where they have no numbers.

    Raises
    ------
    OutputExistsError, OutputError
    """
    columns = list(dict.fromkeys(name for epoch in epochs for name in epoch))
    named = [] if "epoch" in columns else ["epoch"]
    with atomic_text(path) as file:
        writer = csv.DictWriter(file, [*named, *columns], lineterminator="\n")
        writer.writeheader()
        for number, epoch in enumerate(epochs, 1):
            writer.writerow({"epoch": number, **epoch})

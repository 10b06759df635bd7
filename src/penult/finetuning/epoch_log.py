"""What each epoch came to, as a table and as a picture."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from penult.output import atomic_output, atomic_text
from penult.written import SIGNED

__all__ = ["Epochs", "draw_curves", "write_log"]

Epochs = Sequence[Mapping[str, Any]]
"""Of each epoch, name to number: ``train_loss``, ``validation_loss``, ``validation_accuracy``, …"""

_TRAIN, _VALIDATION = "#0072b2", "#d55e00"  # of Okabe and Ito, told apart by everybody


def write_log(path: Path, epochs: Epochs) -> None:
    """Write a CSV file with a row for each epoch, counted from 1.

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


def draw_curves(path: Path, epochs: Epochs) -> None:
    """Draw the losses and the accuracy on the validation images over the epochs, as PNG.

    Raises
    ------
    OutputExistsError, OutputError
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    losses, accuracy = figure.subplots(1, 2)
    _draw(losses, epochs, "train_loss", "training", _TRAIN)
    _draw(losses, epochs, "validation_loss", "validation", _VALIDATION)
    _draw(accuracy, epochs, "validation_accuracy", "validation", _VALIDATION)
    for axes, title in ((losses, "loss (nats)"), (accuracy, "accuracy")):
        axes.set_title(title, fontsize=10, loc="left")
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(color="#dddddd", linewidth=0.6)
        axes.spines[["top", "right"]].set_visible(False)
        if axes.lines:
            axes.legend(frameon=False)
    with atomic_output(path) as partial:
        figure.savefig(partial, format="png", dpi=150, metadata=SIGNED)


def _draw(axes: Any, epochs: Epochs, name: str, label: str, color: str) -> None:
    points = [(number, epoch[name]) for number, epoch in enumerate(epochs, 1) if name in epoch]
    if points:
        axes.plot(*zip(*points, strict=True), marker="o", markersize=3, label=label, color=color)

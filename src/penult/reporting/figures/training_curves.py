"""Losses and accuracy over the epochs of a fine-tuning, a chart each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penult.finetuning.curves import draw_accuracy, draw_losses

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from penult.finetuning.curves import Curves

__all__ = ["accuracy_chart", "losses_chart"]

SIZE = (5.2, 3.0)  # inches


def losses_chart(curves: Curves) -> Figure:
    """Draw the losses on the training and the validation images."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=SIZE)
    draw_losses(figure.add_subplot(), curves)
    return figure


def accuracy_chart(curves: Curves) -> Figure:
    """Draw the accuracy on the validation images."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=SIZE)
    draw_accuracy(figure.add_subplot(), curves)
    return figure

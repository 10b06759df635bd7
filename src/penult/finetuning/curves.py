"""The losses and the accuracy over the epochs, drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penult.output import atomic_output
from penult.written import SIGNED

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Curves", "draw_accuracy", "draw_curves", "draw_losses"]

# Those of `penult.reporting.figures.colors`, in whose place a page puts its own.
TRAIN, VALIDATION, SOFT, GRID = "#b3420a", "#4f2d94", "#5c5e6b", "#e3e3ea"


@dataclass(frozen=True, kw_only=True)
class Curves:
    """What is drawn of a training: its epochs in a row, those of several stages as well.

    Attributes
    ----------
    train_loss, validation_loss, validation_accuracy : mapping of int to float
        By epoch, 0 being the start; those that are known.
    kept : int or None
        The epoch whose weights were kept.
    unfrozen_after : int
        The last epoch of the head alone, where blocks learn after it; 0 where there is one stage.
    """

    train_loss: Mapping[int, float]
    validation_loss: Mapping[int, float]
    validation_accuracy: Mapping[int, float]
    kept: int | None = None
    unfrozen_after: int = 0

    @classmethod
    def of(cls, summary: Mapping[str, Any]) -> Curves:
        """Take them from the content of ``scores.json``."""
        epochs = list(summary.get("epochs", ()))
        stages = [str(one.get("stage", "")) for one in epochs]
        head = sum(one != stages[-1] for one in stages)
        numbered = dict(enumerate([summary.get("start") or {}, *epochs]))

        def of(name: str) -> dict[int, float]:
            return {number: one[name] for number, one in numbered.items() if name in one}

        losses, best = of("validation_loss"), summary.get("best_epoch")
        kept = None if best is None else head + best
        if head and best == 0:  # the head alone, as it was at its best
            kept = min((k for k in losses if k <= head), key=lambda k: losses[k], default=None)
        return cls(
            train_loss=of("train_loss"),
            validation_loss=losses,
            validation_accuracy=of("validation_accuracy"),
            kept=kept,
            unfrozen_after=head,
        )


def draw_curves(path: Path, curves: Curves) -> None:
    """Draw the losses and the accuracy on the validation images over the epochs, as PNG.

    Raises
    ------
    OutputExistsError, OutputError
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    losses, accuracy = figure.subplots(1, 2)
    draw_losses(losses, curves)
    draw_accuracy(accuracy, curves)
    with atomic_output(path) as partial:
        figure.savefig(partial, format="png", dpi=150, metadata=SIGNED)


def draw_losses(axes: Axes, curves: Curves) -> None:
    """Draw both losses, in nats."""
    _prepare(axes, curves, "loss (nats)")
    _draw(axes, curves.train_loss, "training", TRAIN)
    _draw(axes, curves.validation_loss, "validation", VALIDATION, kept=curves.kept)
    axes.set_ylim(bottom=0)
    _finish(axes, curves)


def draw_accuracy(axes: Axes, curves: Curves) -> None:
    """Draw the accuracy on the validation images, in percent."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    _prepare(axes, curves, "accuracy on validation images")
    accuracy = {epoch: 100 * value for epoch, value in curves.validation_accuracy.items()}
    _draw(axes, accuracy, "", VALIDATION, kept=curves.kept)
    # Of few images each is a large step: a narrow axis would make a cliff of it.
    lowest = min(accuracy.values(), default=0)
    axes.set_ylim(max(min(lowest - 5, 90), -1.5), 101.5)
    axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}%"))
    _finish(axes, curves)


def _prepare(axes: Axes, curves: Curves, title: str) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.set_title(title, fontsize=10, loc="left", color=SOFT)
    axes.set_xlabel("epoch", fontsize=9.5, color=SOFT)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.tick_params(length=0, labelsize=9, labelcolor=SOFT, pad=5)
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(GRID)
    if curves.unfrozen_after:
        axes.axvline(curves.unfrozen_after + 0.5, color=SOFT, linewidth=0.8, linestyle=(0, (4, 3)))


def _draw(
    axes: Axes,
    points: Mapping[int, float],
    label: str,
    color: str,
    *,
    kept: int | None = None,
) -> None:
    if not points:
        return
    axes.plot([*points], [*points.values()], marker="o", markersize=3.5, label=label, color=color)
    if kept is not None and kept in points:
        axes.plot(
            kept,
            points[kept],
            linestyle="none",
            marker="o",
            markersize=10,
            markerfacecolor="none",
            color=color,
            label="kept",
            clip_on=False,
        )


def _finish(axes: Axes, curves: Curves) -> None:
    if curves.unfrozen_after:
        low, high = axes.get_xlim()
        axes.set_xlim(low, max(high, curves.unfrozen_after + 1))
        axes.annotate(
            "blocks unfrozen",
            (curves.unfrozen_after + 0.5, 1),
            xycoords=("data", "axes fraction"),
            xytext=(4, 2),
            textcoords="offset points",
            fontsize=8.5,
            color=SOFT,
        )
    if len(axes.get_legend_handles_labels()[1]) > 1:
        axes.legend(frameon=False, fontsize=9, labelcolor=SOFT)

"""Line charts: accuracies, and silhouettes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from penult.messages import printable
from penult.reporting.figures.colors import GRID, INK, LINE, PAPER, SOFT, WRONG
from penult.wording import percent, ratio, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from penult.classify.diagnosis.learning_curve import CurvePoint
    from penult.classify.settings import LayerResult
    from penult.records import ClusterCount

__all__ = ["curve_chart", "layers_chart", "silhouette_chart"]

HEIGHT = 3.4  # inches
LONGEST_NAME = 28


def layers_chart(
    layers: Sequence[LayerResult], chosen: str | None = None, *, score: str = "accuracy"
) -> Figure:
    """Draw the accuracy of each layer's probe, in execution order.

    Parameters
    ----------
    layers : of each layer, as `penult.classify.diagnosis.layers.best_layer` gives them
    chosen : the layer to mark
    score : what ``"accuracy"`` is
    """
    figure, axes = _axes(max(6.4, 0.32 * len(layers) + 1.6))
    places = range(len(layers))
    accuracies = [100 * layer.accuracy for layer in layers]
    axes.set_ylabel(score)
    intervals = [layer.interval or (layer.accuracy,) * 2 for layer in layers]
    axes.fill_between(
        places,
        [100 * low for low, _ in intervals],
        [100 * high for _, high in intervals],
        color=LINE,
        alpha=0.13,
        linewidth=0,
    )
    axes.plot(
        places,
        [100 * layer.cross_validated for layer in layers],
        color=WRONG,
        linestyle=(0, (4, 2)),
        linewidth=1.3,
        marker="o",
        markersize=3,
        label="cross-validated, training part",
    )
    axes.plot(
        places,
        accuracies,
        color=LINE,
        linewidth=1.8,
        marker="o",
        markersize=4.5,
        label="held-out images" + (", 95% interval" if layers[0].interval else ""),
    )
    names = shorten([printable(layer.layer) for layer in layers], LONGEST_NAME)
    flat = max(map(len, names)) * len(names) < 75
    axes.set_xticks(
        places,
        names,
        rotation=0 if flat else 45,
        ha="center" if flat else "right",
        rotation_mode="anchor",
        parse_math=False,
    )
    axes.set_xlabel("layer, in execution order")
    for place, layer in enumerate(layers):
        if layer.layer == chosen:
            axes.get_xticklabels()[place].set(color=INK, fontweight="bold")
            _annotate(axes, place, accuracies[place], f"chosen: {percent(layer.accuracy)}")
    _finish(axes)
    axes.legend(frameon=False, fontsize=9, labelcolor=SOFT, loc="lower right")
    return figure


def curve_chart(points: Sequence[CurvePoint]) -> Figure:
    """Draw the accuracy against the training images a class, with the range of the draws."""
    figure, axes = _axes(6.4)
    sizes = [point.per_class for point in points]
    means = [100 * point.mean for point in points]
    axes.fill_between(
        sizes,
        [100 * min(point.accuracies) for point in points],
        [100 * max(point.accuracies) for point in points],
        color=LINE,
        alpha=0.13,
        linewidth=0,
    )
    axes.plot(sizes, means, color=LINE, linewidth=1.8, marker="o", markersize=4.5)
    axes.set_xscale("log")
    # The last step may be a short one: its name would run into the one before.
    crowded = len(sizes) > 1 and sizes[-1] < 1.35 * sizes[-2]
    named = [f"{size:,}" for size in sizes]
    axes.set_xticks(sizes, [*named[:-2], "", named[-1]] if crowded else named)
    axes.set_xticks([], minor=True)
    axes.set_xlabel("training images a class")
    _annotate(axes, sizes[-1], means[-1], percent(points[-1].mean))
    _finish(axes)
    return figure


def silhouette_chart(curve: Sequence[ClusterCount], chosen: int) -> Figure:
    """Draw the mean silhouette against the number of clusters, and mark the one that was chosen.

    Parameters
    ----------
    curve : what was tried, ascending; those without a silhouette are left out
    chosen : the number of clusters to mark
    """
    from matplotlib.ticker import MaxNLocator, ScalarFormatter

    figure, axes = _axes(6.4)
    axes.yaxis.set_major_formatter(ScalarFormatter(useOffset=False))
    axes.set_ylabel("mean silhouette")
    there = {one.k: one.silhouette for one in curve if one.silhouette is not None}
    axes.plot([*there], [*there.values()], color=LINE, linewidth=1.8, marker="o", markersize=4.5)
    axes.xaxis.set_major_locator(MaxNLocator(12, integer=True))
    axes.set_xlabel("clusters")
    if chosen in there:
        axes.plot(
            chosen, there[chosen], marker="o", markersize=10, markerfacecolor="none", color=LINE
        )
        _annotate(axes, chosen, there[chosen], f"{chosen}: {ratio(there[chosen], 3)}")
        axes.margins(y=0.14)  # room for what is written above
    return figure


def _axes(width: float) -> tuple[Figure, Axes]:
    """Return an empty chart, `width` inches wide, with accuracies in percent up its left side."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    figure = Figure(figsize=(width, HEIGHT))
    axes = figure.add_subplot()
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(GRID)
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelsize=9, labelcolor=SOFT, pad=5)
    axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}%"))
    axes.set_ylabel("accuracy", fontsize=9.5, color=SOFT)
    axes.xaxis.label.set(fontsize=9.5, color=SOFT)
    return figure, axes


def _annotate(axes: Axes, x: float, y: float, text: str) -> None:
    """Write beside a point, above it."""
    axes.annotate(
        text,
        (x, y),
        xytext=(0, 9),
        textcoords="offset points",
        ha="center",
        fontsize=9.5,
        fontweight="bold",
        color=INK,
        annotation_clip=False,
        bbox={"facecolor": PAPER, "edgecolor": "none", "alpha": 0.8, "pad": 1.5},
    )


def _finish(axes: Axes) -> None:
    # No accuracy is above 100%, wherever the margin would end.
    low, high = axes.get_ylim()
    axes.set_ylim(max(low, -1.5), min(high, 101.5))

"""Figures as PNG files, drawn without a display and without pyplot's global state."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unicodedata import east_asian_width

from penult.output import atomic_output
from penult.reporting.figures.colors import GRID, INK, LINE
from penult.reporting.figures.export import extent
from penult.reporting.figures.fonts import Drawable, drawable
from penult.wording import count, percent, shorten
from penult.written import SIGNED

if TYPE_CHECKING:
    from penult.records import Scores

__all__ = ["confusion_matrix_png"]

DPI = 150
MARGIN = 0.15  # inches around the figure
MAX_PIXELS = 8000  # a side; a thousand classes still fit into memory and into a viewer
LONGEST_LABEL = 32
SMALLEST_NUMBER = 5.0  # points; a cell with less room shows its colour alone
LABELS_ABOVE_FROM = 60  # classes; the names below are then far from the first rows
# Of the style sheet in its light scheme: what a page lays over white in part, mixed with white.
MISS, HIT_PALE, MISS_PALE, EDGE = "#e26218", "#ece8f3", "#fadfcf", "#bbbbbb"


def confusion_matrix_png(
    scores: Scores,
    path: Path,
    *,
    order: Sequence[int] | None = None,
    normalize: bool = False,
    overwrite: bool = False,
) -> None:
    """Draw every class's row and column of the confusion matrix.

    The figure grows with the number of classes, so that each keeps its name; the colour of a cell
    grows with the square root of its number, so that one mistake shows beside hundreds of hits.
    Right answers are purple, mistakes are orange, as on the page of a report.

    Parameters
    ----------
    scores : its `confusion`, (K, K): true classes down, predicted ones across
    path : the PNG file to write, whole or not at all
    order : the classes' places in `scores`, from the top and from the left; as they are by default
    normalize : show each cell as its share of the true class's images, not as a count
    overwrite : replace `path` if it exists

    Raises
    ------
    OutputExistsError, PathNotFoundError, OutputError
    """
    named = drawable([c.label for c in scores.classes])
    with atomic_output(path, overwrite=overwrite) as partial:
        figure = _draw(scores, named, order=order, normalize=normalize)
        figure.savefig(partial, format="png", bbox_inches=extent(figure, MARGIN), metadata=SIGNED)
    if message := named.message(path.name):
        logging.getLogger("penult").warning("penult: %s", message)


def _draw(scores: Scores, named: Drawable, *, order: Sequence[int] | None, normalize: bool) -> Any:
    """Build the figure; the axes have a fixed size in inches, and the labels lie outside them."""
    import numpy as np
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    counts = np.asarray(scores.confusion, dtype=np.int64)
    classes = len(counts)
    labels = shorten(named.names, LONGEST_LABEL)
    if order is not None:
        counts = counts[np.ix_(order, order)]
        labels = [labels[k] for k in order]
    images = counts.sum(axis=1, keepdims=True)
    values = counts / np.maximum(images, 1) if normalize else counts.astype(float)
    top = 1.0 if normalize else max(float(values.max()), 1.0)

    cell = _cell_inches(classes)
    side = cell * classes
    size = min(9.0, max(5.0, 72 * cell * 0.72))  # of a tick label, in points

    figure = Figure(figsize=(side, side), dpi=min(DPI, MAX_PIXELS / (side + 3)))
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    cells = [
        axes.add_collection(_cells(values, counts, top, right=right)) for right in (True, False)
    ]
    axes.set_xlim(-0.5, classes - 0.5)
    axes.set_ylim(classes - 0.5, -0.5)
    axes.set_aspect("equal")

    style: dict[str, Any] = {"fontsize": size, "fontfamily": list(named.families), "color": INK}
    flat = max(map(_width, labels)) * size * 0.62 < 72 * cell
    axes.set_yticks(range(classes), labels, parse_math=False, **style)
    axes.set_xticks(range(classes), labels, parse_math=False, rotation=0 if flat else 90, **style)
    axes.tick_params(length=0, pad=4, labeltop=classes > LABELS_ABOVE_FROM)
    edges = np.arange(1, classes) - 0.5
    for lines in (axes.hlines, axes.vlines):
        lines(edges, -0.5, classes - 0.5, color=GRID, linewidth=min(0.8, 72 * cell * 0.04))
    for spine in axes.spines.values():
        spine.set(color=EDGE, linewidth=0.8)
    heading = min(28.0, max(9.0, side * 1.1))
    below = "predicted class"
    if named.undrawn:
        below += "\n(#1: the first class in scores.json)"
    axes.set_xlabel(below, fontsize=heading, color=INK, labelpad=heading * 0.8)
    axes.set_ylabel("true class", fontsize=heading, color=INK, labelpad=heading * 0.8)

    _write_numbers(axes, values, cell, top, normalize=normalize)
    _add_scales(figure, cells, side, heading, normalize=normalize, top=top)
    _add_title(axes, scores, heading, side, ordered=order is not None)
    return figure


def _cells(values: Any, counts: Any, top: float, *, right: bool) -> Any:
    """Make the cells that hold an image, on the diagonal or off it, as shapes.

    To enlarge a picture of the whole matrix would take gigabytes for a thousand classes.
    """
    import numpy as np
    from matplotlib.collections import PolyCollection
    from matplotlib.colors import LinearSegmentedColormap, PowerNorm

    down, across = np.nonzero((counts > 0) & (np.eye(len(counts), dtype=bool) == right))
    corners = np.stack([across, down], axis=1)[:, None] + np.array(
        [(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)]
    )
    ends = (HIT_PALE, LINE) if right else (MISS_PALE, MISS)
    return PolyCollection(
        corners,
        array=values[down, across],
        cmap=LinearSegmentedColormap.from_list("", ends),
        norm=PowerNorm(0.5, vmin=0, vmax=top),
        antialiaseds=False,
        linewidths=0,
    )


def _add_title(axes: Any, scores: Scores, size: float, side: float, *, ordered: bool) -> None:
    """Say what the figure shows, in lines as long as the figure is broad."""
    from textwrap import wrap

    said = (
        f"Confusion matrix: {count(scores.images, 'image')} not seen in training, "
        f"{percent(scores.accuracy)} in the right class"
    )
    if ordered:
        said += "; similar classes stand side by side"
    letters = max(20, int(72 * side / (0.54 * size)))
    above = axes.get_xticklabels(which="major")[0].get_visible() and ordered
    axes.set_title(
        "\n".join(wrap(said, letters)),
        loc="left",
        fontsize=size,
        color=INK,
        pad=size * (0.9 if not above else 1.4),
    )


def _cell_inches(classes: int) -> float:
    """Side of a cell: room for a number while classes are few, for a 5-point name when many."""
    return float(min(0.8, max(0.1, 9.0 / classes)))


def _write_numbers(axes: Any, values: Any, cell: float, top: float, *, normalize: bool) -> None:
    import numpy as np

    for row, column in np.argwhere(values > 0):
        value = values[row, column]
        text = percent(value, 0).rstrip("%") if normalize else f"{value:.0f}"
        # As large as two digits can be, unless there are more.
        size = min(11.0, 72 * cell / (0.66 * max(len(text), 2)))
        if size < SMALLEST_NUMBER:
            continue
        shade = "white" if row == column and (value / top) ** 0.5 > 0.5 else INK
        style = {"ha": "center", "va": "center", "fontsize": size, "color": shade}
        axes.text(column, row, text, in_layout=False, **style)  # what lies inside bounds nothing


def _add_scales(
    figure: Any, cells: Any, side: float, size: float, *, normalize: bool, top: float
) -> None:
    """Draw the colour scales at the right: what a colour stands for, whatever the figure's size."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

    width = 0.16 * max(1.0, size / 12)
    for k, shapes in enumerate(cells):
        axes = figure.add_axes(((0.3 + k * width) / side + 1, 0, width / side, 1))
        bar = figure.colorbar(shapes, cax=axes)
        bar.outline.set(edgecolor=EDGE, linewidth=0.8)
        if k == 0:
            bar.set_ticks([])
            continue
        if normalize:
            bar.locator = FixedLocator([0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 1])
            bar.formatter = FuncFormatter(lambda share, _: f"{share:.0%}")
            counted = "share of the true class's images"
        else:
            bar.locator = (
                FixedLocator(range(1, int(top) + 1))
                if top <= 4
                else MaxNLocator(6, integer=True, prune="lower")
            )
            counted = "images"
        bar.set_label(f"{counted} (purple: right, orange: wrong)", fontsize=size, color=INK)
        bar.update_ticks()
        bar.ax.tick_params(labelsize=size * 0.85, colors=INK)


def _width(name: str) -> float:
    """In letters; those of East Asia are broader."""
    return sum(1.65 if east_asian_width(c) in "WF" else 1 for c in name)

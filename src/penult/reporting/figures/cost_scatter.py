"""Scores of networks against what they cost, with the Pareto front."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, isfinite
from typing import TYPE_CHECKING, Any

from penult.reporting.figures.amounts import amount_axis
from penult.reporting.figures.colors import GRID, INK, LINE, PAPER, SOFT
from penult.reporting.figures.label_placement import Box, in_margin, place_labels
from penult.reporting.figures.pareto_front import pareto_front, staircase
from penult.reporting.figures.score_text import has_spread, score_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from penult.records import ComparedModel
    from penult.reporting.figures.model_names import ModelNames

__all__ = ["COSTS", "Cost", "cost_scatter"]

# All in points; the width is that of the bars.
WIDTH, LEFT, RIGHT = 360.0, 34.0, 4.0
HEIGHT, PER_NAME = 225.0, 17.0  # of the large panel: at least, and for each name
SMALL, ROW = 92.0, 148.0  # heights of a small panel, and with its title and its ticks
HEAD, FOOT = 62.0, 34.0  # above the large panel, for the legend and its title; below
LONGEST_NAME, SHORTEST_NAME = 40, 24  # in characters: of few networks, and of more than FEW
FEW = 12
RADIUS = 3.0


@dataclass(frozen=True)
class Cost:
    """What scores are drawn against: a field of ``ModelCost``.

    Attributes
    ----------
    field : its name
    label : what it is, on the axis
    lower : less is better
    giga : from how many on 10⁹ is the unit; None where thousands are not written as letters
    better : what a network that costs less is called
    """

    field: str
    label: str
    lower: bool
    giga: float | None
    better: str


COSTS = {
    "parameters": Cost("parameters", "parameters", True, 1.0, "smaller"),
    "flops": Cost("flops", "floating point operations an image", True, 0.1, "cheaper"),
    "speed": Cost("images_per_second", "images per second, end to end", False, None, "faster"),
}


def cost_scatter(
    rows: Sequence[ComparedModel], names: ModelNames, scores: Sequence[str], cost: Cost
) -> Figure | None:
    """Draw scores against a cost: the first large and with names, the others small, with ranks.

    The Pareto front is drawn as the best score that can be had at each cost.

    Parameters
    ----------
    rows : the networks, in the order of their ranks
    names : of them
    scores : names of ``ComparedModel.scores``
    cost : one of `COSTS`

    Returns
    -------
    Figure or None
        None where fewer than two networks have the cost and the first of the scores.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    shown = [(score, panel) for score in scores if len(panel := _points(rows, score, cost)) > 1]
    if not shown or shown[0][0] != scores[0]:
        return None
    (score, points), small = shown[0], shown[1:]
    high = max(HEIGHT, PER_NAME * len(points) + 20)
    height = HEAD + high + FOOT + ROW * ceil(len(small) / 2)
    figure = Figure(figsize=(WIDTH / 72, height / 72), dpi=72)
    FigureCanvasAgg(figure)
    box = Box(LEFT, height - HEAD - high, WIDTH - RIGHT, height - HEAD)
    axes = _panel(figure, box, score_name(score), points, cost, most=7)
    better = f"← {cost.better}" if cost.lower else f"{cost.better} →"
    axes.set_xlabel(f"{cost.label} ({better})")
    axes.xaxis.label.set(fontsize=9.5, color=SOFT)
    _legend(axes, points, names, score_name(score), cost)
    numbered = names.numbered(LONGEST_NAME if len(points) <= FEW else SHORTEST_NAME)
    _write(axes, box, points, [numbered[p.rank] for p in points], names, cost, every=True)
    for k, (score, points) in enumerate(small):
        top = height - HEAD - high - FOOT - ROW * (k // 2) - 28
        left = LEFT if k % 2 == 0 else WIDTH / 2 + LEFT
        box = Box(left, top - SMALL, left + WIDTH / 2 - LEFT - RIGHT, top)
        axes = _panel(figure, box, score_name(score), points, cost, most=4)
        ranks = [str(p.rank + 1) for p in points]
        _write(axes, box, points, ranks, names, cost, every=False)
    return figure


@dataclass(frozen=True)
class _Point:
    rank: int
    x: float
    y: float
    low: float
    high: float
    spread: bool  # there is a standard deviation, and low and high are other than y


def _points(rows: Sequence[ComparedModel], score: str, cost: Cost) -> list[_Point]:
    found = []
    for rank, row in enumerate(rows):
        x, scores = getattr(row.cost, cost.field), row.scores.get(score)
        if x is None or scores is None or not isfinite(scores.mean):
            continue
        y, std = 100 * scores.mean, 100 * scores.std
        found.append(
            _Point(rank, float(x), y, max(y - std, 0.0), min(y + std, 100.0), has_spread(scores))
        )
    return found


def _panel(
    figure: Figure, box: Box, title: str, points: Sequence[_Point], cost: Cost, *, most: int
) -> Axes:
    """Draw the points and their front in a part of the figure."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    width, height = 72 * figure.get_size_inches()
    axes = figure.add_axes(
        (
            box.left / width,
            box.bottom / height,
            (box.right - box.left) / width,
            (box.top - box.bottom) / height,
        )
    )
    axes.patch.set_visible(False)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(GRID)
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelsize=8.5, labelcolor=SOFT, pad=4)
    axes.set_title(title, loc="left", fontsize=9.5, fontweight="bold", color=INK, pad=7)
    amount_axis(axes, [p.x for p in points], most=most, giga=cost.giga)
    low, high = min(p.low for p in points), max(p.high for p in points)
    room = max(0.12 * (high - low), 0.2)
    axes.set_ylim(low - room, high + room)
    # No share is above 100%, wherever the margin ends.
    ticks = MaxNLocator(most - 1, steps=[1, 2, 5, 10]).tick_values(*axes.get_ylim())
    axes.set_yticks([tick for tick in ticks if low - room <= tick <= min(high + room, 100.0)])
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}%"))
    corners = _staircase(axes, points, cost)
    axes.plot(*zip(*corners, strict=True), color=LINE, linewidth=1.3, zorder=1, label="front")
    front = set(_front(points, cost))
    _whiskers(axes, [p for p in points if p.spread])
    axes.scatter(
        [p.x for p in points],
        [p.y for p in points],
        s=(2 * RADIUS) ** 2,
        c=[LINE if k in front else PAPER for k in range(len(points))],
        edgecolors=[LINE if k in front else SOFT for k in range(len(points))],
        linewidths=1.1,
        zorder=3,
    )
    return axes


def _whiskers(axes: Axes, points: Sequence[_Point]) -> None:
    """Draw standard deviations above the line of the front, which is set off from them."""
    x, low, high = ([getattr(p, end) for p in points] for end in ("x", "low", "high"))
    axes.vlines(x, low, high, color=PAPER, linewidth=3.5, zorder=1.5)
    axes.vlines(x, low, high, color=SOFT, linewidth=0.9, zorder=2)
    for end in (low, high):
        axes.plot(x, end, color=SOFT, linestyle="none", marker="_", markersize=5, zorder=2)


def _front(points: Sequence[_Point], cost: Cost) -> list[int]:
    return pareto_front([p.x for p in points], [p.y for p in points], lower=cost.lower)


def _staircase(axes: Axes, points: Sequence[_Point], cost: Cost) -> list[tuple[float, float]]:
    front = [(points[k].x, points[k].y) for k in _front(points, cost)]
    return staircase(front, axes.get_xlim(), axes.get_ylim()[0], lower=cost.lower)


def _write(
    axes: Axes,
    box: Box,
    points: Sequence[_Point],
    texts: Sequence[str],
    names: ModelNames,
    cost: Cost,
    *,
    every: bool,
) -> None:
    """Write beside each point: `every` one, or those that there is room for."""
    from matplotlib.collections import LineCollection

    fonts: list[dict[str, Any]] = [
        {
            "fontsize": 9 if every else 8,
            "fontweight": "bold" if p.rank == names.recommended else "normal",
            "fontfamily": list(names.families),
            "parse_math": False,
        }
        for p in points
    ]
    sizes = [_size(axes, text, font) for text, font in zip(texts, fonts, strict=True)]
    at = [_place(axes, p.x, p.y) for p in points]
    stairs = [_place(axes, *corner) for corner in _staircase(axes, points, cost)]
    bars = [(_place(axes, p.x, p.low), _place(axes, p.x, p.high)) for p in points if p.spread]
    placed = place_labels(
        at,
        sizes,
        box,
        radius=RADIUS + 0.6,
        first=_front(points, cost),
        lines=[*pairwise(stairs), *bars],
        most=105 if every else 26,
    )
    left_over = [k for k, label in enumerate(placed) if label is None and every]
    beside = in_margin([at[k] for k in left_over], [sizes[k] for k in left_over], box)
    for k, one in zip(left_over, beside, strict=True):
        placed[k] = one
    written = [
        (start, point, text, font, label)
        for start, point, text, font, label in zip(at, points, texts, fonts, placed, strict=True)
        if label is not None
    ]
    for start, point, text, font, label in written:
        axes.annotate(
            text,
            (point.x, point.y),
            xytext=(
                label.anchor[0] - start[0],
                (label.box.bottom + label.box.top) / 2 - start[1],
            ),
            textcoords="offset points",
            ha=label.align,
            va="center",
            color=INK,
            annotation_clip=False,
            bbox={"facecolor": PAPER, "edgecolor": "none", "alpha": 0.75, "pad": 0.5},
            zorder=4,
            **font,
        )
    back: Any = axes.transData.inverted()
    leaders = LineCollection(
        [
            [(point.x, point.y), back.transform(label.anchor)]
            for _, point, _, _, label in written
            if label.leader
        ],
        colors=SOFT,
        linewidths=0.6,
        zorder=2,
        clip_on=False,
    )
    axes.add_collection(leaders, autolim=False)


def _size(axes: Axes, text: str, font: dict[str, Any]) -> tuple[float, float]:
    """Return the width and the height of a text, in points."""
    drawn = axes.text(0, 0, text, va="center", **font)
    extent = drawn.get_window_extent()
    drawn.remove()
    return float(extent.width), float(extent.height)


def _place(axes: Axes, x: float, y: float) -> tuple[float, float]:
    """Return where a point is from the figure's lower left: its pixels are points, 72 an inch."""
    across, up = axes.transData.transform((x, y))
    return float(across), float(up)


def _legend(
    axes: Axes, points: Sequence[_Point], names: ModelNames, score: str, cost: Cost
) -> None:
    from matplotlib.lines import Line2D

    marked: dict[str, Any] = {"marker": "o", "markersize": 2 * RADIUS}
    front = Line2D([], [], color=LINE, linewidth=1.3, **marked)
    others = Line2D([], [], linestyle="none", markerfacecolor=PAPER, markeredgecolor=SOFT, **marked)
    lines = [(front, f"Pareto front: no other is both {cost.better} and higher in {score}")]
    bars = "; bars: ± standard deviation" if any(p.spread for p in points) else ""
    bold = any(p.rank == names.recommended for p in points)
    lines.append((others, "others" + bars + ("; bold: recommended" if bold else "")))
    axes.legend(
        [handle for handle, _ in lines],
        [text for _, text in lines],
        loc="lower left",
        bbox_to_anchor=(0, 1 + 24 / axes.bbox.height),
        borderaxespad=0,
        borderpad=0,
        frameon=False,
        fontsize=9,
        labelcolor=SOFT,
    )

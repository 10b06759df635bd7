"""A row map as a matplotlib figure."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.reporting.figures.colors import GRID, INK, PAPER, SOFT
from penult.reporting.figures.fonts import Drawable, drawable
from penult.reporting.figures.row_map.groups import Group, groups_of, is_noise
from penult.reporting.figures.row_map.marks import (
    COLORS,
    NOTHING,
    ONE_SHAPE_UP_TO,
    Mark,
    choose_marks,
    dot_size,
    ink_of,
)
from penult.reporting.figures.row_map.measured import Measured, measured
from penult.reporting.figures.row_map.names import Box, NamedDots, place_names
from penult.reporting.figures.row_map.photos import choose_photos
from penult.wording import count, percent, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray
    from PIL import Image

    from penult.records import RowMap

__all__ = ["Photo", "draw_map"]

Photo = Callable[[str], "Image.Image | None"]
"""From an id to a small square picture, or None where it cannot be had."""

_LEGEND_UP_TO = ONE_SHAPE_UP_TO  # classes; of more, names lie on the map
_LONGEST_NAME = 28
_PHOTO_INCHES = 0.32
_RING = 2.6  # how much larger, by area, the outer ring of a row of several labels is


def draw_map(
    row_map: RowMap, *, color_by: str | None, photo: Photo | None = None, small: bool = False
) -> tuple[Figure, Drawable]:
    """Draw a map.

    Parameters
    ----------
    row_map : RowMap
    color_by : str or None
        The column of `RowMap.columns` that colours stand for; None for one colour.
    photo : callable, optional
        Gives the photos that are drawn in place of dots, as many as have room.
    small : bool, default=False
        For a notebook: without what the table beside it says.

    Returns
    -------
    figure : matplotlib figure
    named : Drawable
        The names on it, as far as fonts can draw them.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    values = measured(row_map, color_by)
    groups = [] if values is not None else groups_of(row_map, color_by)
    named = drawable([group.name for group in groups])
    marks = _marks(groups)
    width, height = _size(len(groups), photos=photo is not None, small=small)
    figure = Figure(figsize=(width, height), dpi=150, facecolor=PAPER)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.02, 0.02, 0.96, 0.96))
    _frame(axes, row_map, width / height)
    told = []
    if values is not None:
        told.append(values.draw(axes, row_map.xy, alpha=0.85 if photo is None else 0.35))
    if photo is not None:
        if values is None:
            _draw_dots(axes, row_map, groups, marks, alpha=0.35)
        told.append(_draw_photos(axes, row_map, groups, marks, photo, values))
    elif values is None:
        _draw_dots(axes, row_map, groups, marks)
    owned = sum(len(group.rows) for group in groups)
    labelled = len({row for group in groups for row in group.rows.tolist()})
    bare = len(row_map) - labelled
    if owned > labelled and photo is None:
        told.append("a ring around a dot is a further label of that row, of up to three")
    names = shorten(named.names, _LONGEST_NAME)
    if 0 < len(groups) <= _LEGEND_UP_TO:
        _legend(axes, names, named.families, groups, marks, bare)
    elif groups:
        told += _write_names(
            axes, row_map.xy, names, named.families, groups, marks, boxed=photo is not None
        )
        noise = [f"{count(len(one.rows), 'row')} of noise" for one in groups if is_noise(one)]
        without = [f"{count(bare, 'row')} without a {color_by}"] if bare else []
        if noise or without:
            told.append(f"grey: {', '.join(noise + without)}")
    if not small:
        _caption(axes, row_map, told, width)
    return figure, named


def _marks(groups: Sequence[Group]) -> list[Mark]:
    """Of what has a colour of its own, that one; noise takes none from the others."""
    chosen = iter(choose_marks(np.array([one.center for one in groups if one.color is None])))
    return [next(chosen) if one.color is None else Mark(one.color, "o") for one in groups]


def _size(classes: int, *, photos: bool, small: bool) -> tuple[float, float]:
    """Of the figure in inches: as many names as there are have to find room."""
    if small:
        return 5.2, 4.2
    if photos or classes > 60:
        return 13.0, 10.5
    return (8.0, 6.5) if classes <= _LEGEND_UP_TO else (10.0, 8.0)


def _frame(axes: Axes, row_map: RowMap, ratio: float) -> None:
    """A frame of the figure's shape around all points, one unit as long up as across."""
    points = np.asarray(row_map.xy, np.float64)
    low, high = points.min(axis=0), points.max(axis=0)
    middle, span = (low + high) / 2, high - low
    # Around points that are all at one place, as wide as is not lost in rounding.
    across = 1.08 * max(span[0], span[1] * ratio) or max(1.0, np.abs(middle).max() * 1e-6)
    axes.set_xlim(middle[0] - across / 2, middle[0] + across / 2)
    axes.set_ylim(middle[1] - across / ratio / 2, middle[1] + across / ratio / 2)
    axes.set_facecolor(PAPER)
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set(color=GRID, linewidth=1)
    if row_map.explained_variance is not None:
        x, y = row_map.explained_variance
        style: dict[str, Any] = {"fontsize": 9, "color": SOFT}
        axes.set_xlabel(f"first principal component, {percent(x)} of the variance", **style)
        axes.set_ylabel(f"second principal component, {percent(y)} of the variance", **style)


def _draw_dots(
    axes: Axes, row_map: RowMap, groups: Sequence[Group], marks: Sequence[Mark], alpha: float = 0.8
) -> None:
    """Dots by class, in an order that chance chose, so that no class lies on all others."""
    n = len(row_map)
    size, style = dot_size(axes, n)
    owners: list[list[int]] = [[] for _ in range(n)]
    for k, group in enumerate(groups):
        for row in group.rows.tolist():
            owners[row].append(k)
    # What is drawn: x, y, area, mark; a row of several labels as rings around each other.
    bare = [row for row in range(n) if not owners[row]]
    if bare:
        gray = NOTHING if groups else COLORS[0]
        x, y = row_map.xy[bare].T
        axes.scatter(x, y, s=size * 0.8, c=gray, zorder=1, **style)
    order = np.random.default_rng(0).permutation(n).tolist()
    # But noise lies below all clusters, and what is true above what is not.
    if lifted := [k for k, group in enumerate(groups) if group.color is not None]:
        below = -1 if is_noise(groups[lifted[0]]) else 0
        height = {k: below + place for place, k in enumerate(lifted)}
        order.sort(key=lambda row: max((height.get(k, 0) for k in owners[row]), default=0))
    layers: dict[str, list[tuple[float, float, float, str]]] = {}
    for row in order:
        x, y = row_map.xy[row].tolist()
        for inner, k in enumerate(reversed(owners[row][:3])):
            rings = len(owners[row][:3]) - 1 - inner
            area = size * _RING**rings
            layers.setdefault(marks[k].shape, []).append((x, y, area, marks[k].color))
    for shape, dots in layers.items():
        xs, ys, areas, colors = zip(*dots, strict=True)
        axes.scatter(xs, ys, s=areas, c=colors, marker=shape, alpha=alpha, zorder=2, **style)


def _draw_photos(
    axes: Axes,
    row_map: RowMap,
    groups: Sequence[Group],
    marks: Sequence[Mark],
    photo: Photo,
    values: Measured | None,
) -> str:
    """Photos where there is room, framed in the colour of their class, and dots for the others."""
    from matplotlib.patches import Rectangle

    low, high = axes.get_xlim()
    inches = axes.get_window_extent().width / axes.figure.dpi
    side = _PHOTO_INCHES * (high - low) / inches
    chosen = choose_photos(np.asarray(row_map.xy, np.float64), side * 1.06)
    color: dict[int, Any] = {
        row: mark.color
        for group, mark in zip(groups, marks, strict=True)
        for row in group.rows.tolist()
    }
    limits = axes.get_xlim(), axes.get_ylim()
    drawn = 0
    for row in chosen.tolist():
        picture = photo(str(row_map.ids[row]))
        if picture is None:
            continue
        drawn += 1
        x, y = row_map.xy[row].tolist()
        left, below = x - side / 2, y - side / 2
        axes.imshow(
            np.asarray(picture),
            extent=(left, left + side, below, below + side),
            aspect="auto",
            zorder=3,
            interpolation="lanczos",
        )
        edge = color.get(row, NOTHING) if values is None else values.color(row)
        frame = Rectangle((left, below), side, side, fill=False, edgecolor=edge, linewidth=1.6)
        axes.add_patch(frame).set_zorder(4)
    axes.set_xlim(*limits[0])
    axes.set_ylim(*limits[1])
    shown = f"{drawn:,} of {count(len(row_map), 'photo')}"
    return f"{shown} have room, each where its dot would be; dots for the others"


def _legend(
    axes: Axes,
    names: Sequence[str],
    families: Sequence[str],
    groups: Sequence[Group],
    marks: Sequence[Mark],
    bare: int,
) -> None:
    from matplotlib.lines import Line2D

    shown = [
        (f"{name} ({len(group.rows):,})", mark)
        for name, group, mark in zip(names, groups, marks, strict=True)
    ]
    if bare:
        shown.append((f"none ({bare:,})", Mark(NOTHING, "o")))
    handles = [
        Line2D([], [], linestyle="", marker=mark.shape, color=mark.color, markersize=7, label=name)
        for name, mark in shown
    ]
    legend = axes.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(1.01, 1),
        borderaxespad=0,
        frameon=False,
        labelcolor=INK,
        handletextpad=0.4,
        prop={"family": list(families), "size": 9.5},
    )
    for text in legend.get_texts():
        text.set_parse_math(False)


def _write_names(
    axes: Axes,
    xy: NDArray[np.float32],
    names: Sequence[str],
    families: Sequence[str],
    groups: Sequence[Group],
    marks: Sequence[Mark],
    *,
    boxed: bool,
) -> list[str]:
    """Write names beside the groups, of the largest first, and on them in a crowd."""
    from matplotlib.patheffects import withStroke

    figure = axes.figure
    size = 9.5 if len(groups) <= 40 else 8.0 if len(groups) <= 120 else 7.0
    order = [k for k, one in enumerate(groups) if not is_noise(one)]
    order.sort(key=lambda k: (-len(groups[k].rows), names[k]))
    dots = axes.transData.transform(np.asarray(xy, np.float64))
    texts, wanted = [], []
    for k in order:
        x, y = groups[k].center.tolist()
        text = axes.text(
            x,
            y,
            names[k],
            fontsize=size,
            fontfamily=list(families),
            fontweight="bold",
            color=ink_of(marks[k].color),
            ha="center",
            va="center",
            zorder=6,
            parse_math=False,
        )
        if boxed:  # on photos
            text.set_bbox({"facecolor": PAPER, "edgecolor": "none", "alpha": 0.85, "pad": 1.2})
        text.set_path_effects([withStroke(linewidth=2.6, foreground=PAPER)])
        extent = text.get_window_extent()
        center = axes.transData.transform(groups[k].center)
        texts.append(text)
        wanted.append(NamedDots(dots[groups[k].rows], center, extent.width, extent.height))
    around = axes.get_window_extent()
    frame = Box(
        (around.x0 + around.x1) / 2,
        (around.y0 + around.y1) / 2,
        around.width - 8,
        around.height - 8,
    )
    assert figure is not None
    placed = place_names(
        wanted,
        frame,
        dots=dots,
        radius=math.sqrt(dot_size(axes, len(xy))[0]) / 2 * figure.dpi / 72,
        pictures=[_box_of(axes, image.get_extent()) for image in axes.images],
    )
    back = axes.transData.inverted()
    for text, group, found in zip(texts, wanted, placed, strict=True):
        if found is None:
            text.remove()
            continue
        text.set_position(tuple(back.transform((found.x, found.y)).tolist()))
        away, dot = found.nearest(group.core)
        if away > group.height:
            x, y = back.transform(np.array([(found.x, found.y), dot])).T
            axes.plot(x, y, color=text.get_color(), linewidth=0.7, zorder=5)
    left_out = placed.count(None)
    if not left_out:
        return []
    return [f"{count(left_out, 'name')} of {len(groups):,} left out for lack of room"]


def _box_of(axes: Axes, extent: Sequence[float]) -> Box:
    """Where a picture lies, given its left, right, lower and upper edge in the map's units."""
    left, right, below, above = extent
    (x0, y0), (x1, y1) = axes.transData.transform([(left, below), (right, above)]).tolist()
    return Box((x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0)


def _caption(axes: Axes, row_map: RowMap, told: Sequence[str], width: float) -> None:
    lines = [row_map.method_line, row_map.quality_line, *told, row_map.caution]
    sentences = [line[0].upper() + line[1:] if line[0] != "t" else line for line in lines if line]
    sentences = [line if line.endswith(".") else f"{line}." for line in sentences]
    text = "\n".join(part for line in sentences for part in textwrap.wrap(line, int(width * 14.5)))
    axes.annotate(
        text,
        (0, 0),
        xycoords="axes fraction",
        xytext=(0, -26 if row_map.explained_variance is not None else -8),
        textcoords="offset points",
        ha="left",
        va="top",
        fontsize=9,
        color=SOFT,
        linespacing=1.45,
        annotation_clip=False,
        parse_math=False,
    )

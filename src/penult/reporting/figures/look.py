"""Maps of a photo side by side, their scales stated."""

from __future__ import annotations

import logging
import math
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.messages import printable
from penult.reporting.figures.colors import INK, LINE, PAPER, SOFT, WRONG
from penult.reporting.figures.export import to_file, to_html_picture
from penult.reporting.figures.fonts import drawable
from penult.reporting.figures.heat_overlay import overlay
from penult.wording import percent, shorten

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from penult.records import ActivationMaps, ClassActivation, HeatMap, Look, RegionSimilarity

__all__ = ["CHANNELS", "draw_look", "look_as_html", "write_look"]

CHANNELS = 16
"""Channels of a layer that are drawn where nothing else is asked for."""

_SIDE = 2.6  # inches of a panel
_ABREAST = 4  # panels in a row
_HEAD, _FOOT, _GAP = 0.62, 0.72, 0.16  # inches above a panel, below it, beside it
_NAME = 30  # characters of a name above a panel
_TOP, _BETWEEN = 0.2, 0.2  # inches above a column of activations, and within it
_NOTE = 0.24  # inches of a line above all panels


def draw_look(look: Look, channels: int = CHANNELS) -> Figure:
    """Draw what was found: the activation of layers, maps of classes, or what is alike."""
    if look.similarity is not None:
        return _draw_similarity(look.similarity)
    if look.classes:
        return _draw_classes(look)
    return _draw_activations(look.activations, channels)


def write_look(
    look: Look, path: Path, *, channels: int = CHANNELS, overwrite: bool = False
) -> None:
    """Write the picture, by the suffix PNG or SVG, whole or not at all.

    Raises
    ------
    OutputExistsError, PathNotFoundError, OutputError
    """
    to_file(draw_look(look, channels), path, overwrite=overwrite)


def look_as_html(look: Look) -> str:
    """Draw it as an HTML element for a notebook."""
    return to_html_picture(draw_look(look), "maps")


def _draw_classes(look: Look) -> Figure:
    classes = look.classes
    limit = max(_limit(heat) for one in classes for heat in one.maps)
    panels: list[tuple[str, str, Any]] = []
    named = _drawn([one.label for one in classes])
    # By place: rows that were joined may be of one layer, pooled in two ways.
    for place, heat in enumerate(classes[0].maps):
        panels.append(("what the network sees", _network(heat), heat.seen))
        for one, name in zip(classes, named, strict=True):
            own = one.maps[place]
            title = f"{name}  {percent(one.probability)}"
            panels.append((title, _about(one, own), overlay(own, limit=limit)))
    figure, bar = _panels(panels, len(classes) + 1, note=look.doubt)
    first = classes[0]
    if first.method == "cam":
        _signed_bar(bar, limit, "against the class", "for the class", "part of the logit, a place")
    else:
        _ramp(bar, limit, "Grad-CAM, from 0; larger speaks more for the class")
    return figure


def _network(heat: HeatMap) -> str:
    """What a map is of; what tells it from another comes first, for the end may be cut."""
    return " ".join(filter(None, (heat.detail and f"{heat.detail};", heat.network, heat.layer)))


def _about(one: ClassActivation, heat: HeatMap) -> str:
    size = f"{heat.values.shape[1]} × {heat.values.shape[0]} places"
    if one.method == "grad-cam":
        return f"Grad-CAM, {size}, logit {one.logit:.2f}"
    rest = one.logit - heat.total
    sign = "−" if rest < 0 else "+"
    text = f"logit {one.logit:.2f} = {heat.total:.2f} from places {sign} {abs(rest):.2f}"
    return text.replace("-", "−")


def _draw_similarity(found: RegionSimilarity) -> Figure:
    limit = max(_limit(heat) for pair in found.maps for heat in pair)
    panels: list[tuple[str, str, Any]] = []
    short = [Path(one).name for one in found.ids]
    names = _drawn(short if len(set(short)) > 1 else found.names)
    for pair in found.maps:
        for name, heat in zip(names, pair, strict=True):
            about = _network(heat) if len(found.maps) > 1 else "what the network sees"
            panels.append((name, about, heat.seen))
            places = f"{heat.values.shape[1]} × {heat.values.shape[0]} places"
            title = f"cosine {found.cosine:.3f}"
            about = f"{heat.total:.3f} of it from {places}"
            panels.append((title, about, overlay(heat, limit=limit)))
    figure, bar = _panels(panels, 4)
    _signed_bar(bar, limit, "less alike", "more alike", "part of the cosine, a place")
    return figure


def _draw_activations(activations: Sequence[ActivationMaps], channels: int) -> Figure:
    from matplotlib.figure import Figure

    wide = len(activations)
    most = max(min(channels, len(one.maps)) for one in activations)
    across = math.ceil(math.sqrt(most))
    down = math.ceil(most / across) if most else 0
    grid = _SIDE * down / max(across, 1)
    height = _TOP + _HEAD + _SIDE + _BETWEEN + grid + _FOOT
    width = 0.2 + wide * (_SIDE + 0.35)
    figure = Figure(figsize=(width, height), facecolor=PAPER)
    for k, one in enumerate(activations):
        left = 0.1 + k * (_SIDE + 0.35)
        top = height - _TOP - _HEAD
        axes = _axes(figure, left, top - _SIDE, _SIDE, _SIDE)
        mean = one.mean
        axes.imshow(np.asarray(overlay(mean)), aspect="equal")
        size = f"{len(one.maps):,} channels, {one.maps.shape[2]} × {one.maps.shape[1]}"
        (name,) = _drawn([one.layer])
        _title(axes, name, f"{size}; mean, up to ±{_limit(mean):.3g}")
        _channels(figure, one, most, across, left, top - _SIDE - _BETWEEN)
    photo = _drawn([Path(activations[0].id).name])[0]
    named = f"{photo}, {printable(activations[0].network)}"
    figure.text(
        0.1 / width,
        1 - 0.14 / height,
        shorten([named], int(width * 16))[0],
        fontsize=8,
        color=SOFT,
        va="top",
        parse_math=False,
        fontfamily=list(drawable([named]).families),
    )
    return figure


def _channels(
    figure: Figure,
    one: ActivationMaps,
    most: int,
    across: int,
    left: float,
    top: float,
) -> None:
    """The strongest channels, all on one scale, and the scale below them."""
    shown = one.order[: min(most, len(one.order))]
    if not len(shown):
        return
    maps = one.maps[shown]
    low, high = min(0.0, float(maps.min())), float(maps.max())
    side = _SIDE / across
    for place, (channel, values) in enumerate(zip(shown, maps, strict=True)):
        row, column = divmod(place, across)
        axes = _axes(figure, left + column * side, top - (row + 1) * side, side * 0.96, side * 0.96)
        axes.imshow(values, cmap="viridis", vmin=low, vmax=high, aspect="equal")
        axes.text(
            0.04, 0.95, str(channel), transform=axes.transAxes, fontsize=6.5, color="white",
            va="top", bbox={"facecolor": INK, "edgecolor": "none", "alpha": 0.45, "pad": 0.8},
        )  # fmt: skip
    rows = math.ceil(len(shown) / across)
    bar = _axes(figure, left, top - rows * side - 0.2, _SIDE * 0.96, 0.1)
    bar.imshow(np.linspace(0, 1, 256)[None], cmap="viridis", aspect="auto")
    _ends(bar, f"{low:.3g}", f"{high:.3g}", f"activation, {len(shown)} strongest")


def _panels(
    panels: Sequence[tuple[str, str, Any]], abreast: int, *, note: str = ""
) -> tuple[Figure, Axes]:
    """Pictures in rows, each under its two lines, a note above all; and where the scale goes."""
    from matplotlib.figure import Figure

    rows = math.ceil(len(panels) / min(abreast, _ABREAST))
    abreast = math.ceil(len(panels) / rows)
    width = 0.2 + abreast * (_SIDE + _GAP)
    height = rows * (_HEAD + _SIDE) + _FOOT
    whole = height + (_NOTE if note else 0)
    figure = Figure(figsize=(width, whole), facecolor=PAPER)
    if note:
        figure.text(
            0.1 / width, 1 - 0.1 / whole, textwrap.fill(note, int(width * 15.2)), fontsize=9,
            color=WRONG, va="top",
        )  # fmt: skip
    for k, (title, about, picture) in enumerate(panels):
        row, column = divmod(k, abreast)
        left = 0.1 + column * (_SIDE + _GAP)
        bottom = height - (row + 1) * (_HEAD + _SIDE)
        axes = _axes(figure, left, bottom, _SIDE, _SIDE)
        axes.imshow(np.asarray(picture), aspect="equal", interpolation="antialiased")
        _title(axes, title, about)
    return figure, _axes(figure, 0.1, 0.38, min(width - 0.3, 2 * _SIDE + _GAP), 0.12)


def _axes(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    whole, high = figure.get_size_inches()
    axes = figure.add_axes((left / whole, bottom / high, width / whole, height / high))
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    return axes


def _drawn(names: Sequence[str]) -> list[str]:
    """Names as there is room for them, and fonts; what stands for others is logged."""
    named = drawable(names)
    if message := named.message("the picture"):
        logging.getLogger("penult").warning("penult: %s", message)
    return shorten(named.names, _NAME)


def _title(axes: Axes, title: str, about: str) -> None:
    families = list(drawable([title, about]).families)
    for text, above, size, color, weight in (
        (title, 19, 10, INK, "bold"),
        (shorten([about], 46)[0], 6, 7.5, SOFT, "normal"),
    ):
        axes.annotate(
            text,
            (0, 1),
            xycoords="axes fraction",
            xytext=(0, above),
            textcoords="offset points",
            fontsize=size,
            color=color,
            fontweight=weight,
            parse_math=False,
            fontfamily=families,
        )


def _signed_bar(axes: Axes, limit: float, below: str, above: str, what: str) -> None:
    values = np.linspace(-1, 1, 401)
    share = np.abs(values)[:, None]
    color = np.where(values[:, None] >= 0, _rgb(LINE), _rgb(WRONG))
    axes.imshow((1 - 0.88 * share + 0.88 * share * color)[None], aspect="auto")
    _ends(axes, f"{-limit:.3g} {below}", f"{above} {limit:.3g}", "0")
    axes.text(
        0, 1.35, what, transform=axes.transAxes, fontsize=7.5, color=SOFT, va="bottom", ha="left"
    )


def _ramp(axes: Axes, limit: float, what: str) -> None:
    share = np.linspace(0, 1, 256)[:, None]
    axes.imshow((1 - 0.88 * share + 0.88 * share * _rgb(LINE))[None], aspect="auto")
    _ends(axes, "0", f"{limit:.3g}", what)


def _ends(axes: Axes, left: str, right: str, middle: str) -> None:
    for at, text, side in ((0, left, "left"), (0.5, middle, "center"), (1, right, "right")):
        axes.text(
            at, -0.4, text, transform=axes.transAxes, fontsize=7.5, color=SOFT, va="top", ha=side
        )


def _rgb(color: str) -> Any:
    from matplotlib.colors import to_rgb

    return np.array(to_rgb(color))


def _limit(heat: HeatMap) -> float:
    return float(np.abs(heat.values).max())

"""Writing a figure: as a PNG or SVG file, or as SVG that takes the page's colours.

A figure that is shown in several places is measured once and drawn as SVG once: it is not to be
changed any more when it has been written.
"""

from __future__ import annotations

import base64
import io
import re
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from penult.output import atomic_output, atomic_text
from penult.reporting.figures.colors import VARIABLES
from penult.written import SIGNED, note_written

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["SVG_MARK", "extent", "to_file", "to_html_picture", "to_png", "to_svg", "to_svg_file"]

SVG_MARK = "<!-- Software: penult -->"
"""By which an SVG file is known as penult's."""

MARGIN = 0.12  # inches around a figure
FONTS = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'

_GROUND = '<rect width="100%" height="100%" style="fill: #ffffff"/>'


def to_png(figure: Figure, path: Path, *, overwrite: bool = False) -> None:
    """Write a chart as a PNG file, whole or not at all.

    Raises
    ------
    OutputExistsError, PathNotFoundError, OutputError
    """
    with atomic_output(path, overwrite=overwrite) as partial:
        figure.savefig(partial, format="png", dpi=150, bbox_inches=extent(figure), metadata=SIGNED)


def to_file(figure: Figure, path: Path, *, overwrite: bool = False) -> None:
    """Write a chart for itself, by its suffix PNG or SVG, whole or not at all.

    A PNG is noted as written by penult, so that it is no photo to an extraction.

    Raises
    ------
    OutputExistsError, PathNotFoundError, OutputError
    """
    if path.suffix.lower() == ".png":
        to_png(figure, path, overwrite=overwrite)
        note_written(path.parent, path)
    else:
        to_svg_file(figure, path, overwrite=overwrite)


def to_html_picture(figure: Figure, alt: str) -> str:
    """Return a figure as an HTML element for a notebook, a small PNG inside it."""
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=90, bbox_inches="tight", pad_inches=0.05)
    data = base64.b64encode(out.getvalue()).decode("ascii")
    return f'<img alt="{escape(alt)}" style="max-width:100%" src="data:image/png;base64,{data}">'


def to_svg_file(figure: Figure, path: Path, *, overwrite: bool = False) -> None:
    """Write a chart as an SVG file that stands alone, whole or not at all.

    Its colours are real ones on white, as in the PNG file: many programs that open SVG files know
    neither variables nor dark schemes, and dark ink on a dark viewer's ground cannot be read.
    Text is text, in the viewer's own font.

    Raises
    ------
    OutputExistsError, PathNotFoundError, OutputError
    """
    svg = re.sub(r"<svg[^>]*>", rf"\g<0>{_GROUND}", _svg(figure, path.stem), count=1)
    svg = re.sub(r"font-family: [^;\"]*", f"font-family: {FONTS}".replace('"', "'"), svg)
    with atomic_text(path, overwrite=overwrite, newline="\n") as file:
        file.write(f'<?xml version="1.0" encoding="utf-8"?>\n{SVG_MARK}\n{svg}\n')


def to_svg(figure: Figure, name: str = "") -> str:
    """Return a chart as an SVG element: text stays text, colours are the page's variables.

    Parameters
    ----------
    name : that no other chart of the page has, nor then the ids of its parts
    """
    svg = _svg(figure, name)
    for colour, variable in VARIABLES.items():
        svg = svg.replace(colour, f"var(--{variable})")
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) width="([\d.]+)pt"', r'\1 style="max-width: \2pt"', svg, count=1)
    return re.sub(r" ?font-family: [^;\"]*;?", "", svg)  # in the page's own font


class _Drawn:
    """What a figure was measured and drawn as, however many files and pages show it.

    It does not hold the figure, which is forgotten with it.
    """

    def __init__(self) -> None:
        self.extent: Any = None
        self.svgs: dict[str, str] = {}


_drawn: WeakKeyDictionary[Figure, _Drawn] = WeakKeyDictionary()


def extent(figure: Figure, margin: float = MARGIN) -> Any:
    """Return what holds all that is drawn, with a margin, in inches.

    Told "tight", matplotlib draws everything once more for that.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    drawn = _drawn.setdefault(figure, _Drawn())
    if drawn.extent is None:
        canvas: Any = FigureCanvasAgg(figure)
        drawn.extent = figure.get_tightbbox(canvas.get_renderer()).padded(margin)
    return drawn.extent


def _svg(figure: Figure, name: str) -> str:
    """Return a figure as an SVG element without a ground; its parts are called after the name."""
    svgs = _drawn.setdefault(figure, _Drawn()).svgs
    if name not in svgs:
        svgs[name] = _draw_svg(figure, name)
    return svgs[name]


def _draw_svg(figure: Figure, name: str) -> str:
    import matplotlib

    out = io.StringIO()
    # Without the salt the names of its parts would be others each time, and the page with them.
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": f"penult{name}"}):
        figure.savefig(
            out,
            format="svg",
            bbox_inches=extent(figure),
            transparent=True,
            metadata={"Date": None, "Creator": None, "Format": None, "Type": None},
        )
    svg = out.getvalue()
    svg = svg[svg.index("<svg") :]
    # Groups are called figure_1 in every chart, and nothing refers to them.
    return re.sub(r'<g id="[^"]*"', "<g", svg).strip()

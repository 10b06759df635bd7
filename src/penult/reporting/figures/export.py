"""Writing a figure: as a PNG file, or as SVG that takes the page's colours."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import TYPE_CHECKING

from penult.output import atomic_output
from penult.reporting.figures.colors import VARIABLES
from penult.written import SIGNED

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["to_png", "to_svg"]


def to_png(figure: Figure, path: Path, *, overwrite: bool = False) -> None:
    """Write a chart as a PNG file, whole or not at all.

    Raises
    ------
    OutputExistsError, PathNotFoundError, OutputError
    """
    with atomic_output(path, overwrite=overwrite) as partial:
        figure.savefig(
            partial, format="png", dpi=150, bbox_inches="tight", pad_inches=0.12, metadata=SIGNED
        )


def to_svg(figure: Figure) -> str:
    """Return a chart as an SVG element: text stays text, colours are the page's variables."""
    import matplotlib

    out = io.StringIO()
    # Without the salt the names of its parts would be others each time, and the page with them.
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "penult"}):
        figure.savefig(
            out,
            format="svg",
            bbox_inches="tight",
            pad_inches=0.12,
            transparent=True,
            metadata={"Date": None, "Creator": None, "Format": None, "Type": None},
        )
    svg = out.getvalue()
    svg = svg[svg.index("<svg") :]
    for colour, variable in VARIABLES.items():
        svg = svg.replace(colour, f"var(--{variable})")
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) width="([\d.]+)pt"', r'\1 style="max-width: \2pt"', svg, count=1)
    svg = re.sub(r" ?font-family: [^;\"]*;?", "", svg)  # in the page's own font
    return svg.strip()

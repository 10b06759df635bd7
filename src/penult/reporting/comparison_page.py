"""One self-contained HTML page of networks that were compared."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from penult.messages import printable
from penult.records import Comparison
from penult.reporting.comparison_sections import COMPARISON_SECTIONS, ComparisonContent
from penult.reporting.comparison_sections.summary import headline, what_was_compared
from penult.reporting.figures.export import to_svg
from penult.web.page import write_page
from penult.web.thumbnails import Thumbnails

if TYPE_CHECKING:
    from collections.abc import Mapping

    from markupsafe import Markup
    from matplotlib.figure import Figure

__all__ = ["write_comparison_page"]


SHORT_PART = 20
"""Characters of a network's name that a telephone has room for in a heading."""


def write_comparison_page(
    comparison: Comparison,
    figures: Mapping[str, Figure],
    path: Path,
    *,
    overwrite: bool = False,
) -> Path:
    """Write a page that shows which model to take, and all that speaks for it.

    Its charts are inside it, and it asks for nothing over the network. What a comparison has not,
    such as costs that were not measured, has no section.

    Parameters
    ----------
    comparison : Comparison
        What was found.
    figures : mapping of str to Figure
        As `penult.reporting.comparison_figures` draws them.
    path : Path
        Of the page.
    overwrite : bool
        Replace the page if it is there.

    Returns
    -------
    Path
        Of the page.

    Raises
    ------
    OutputExistsError, PathNotFoundError, OutputError
        If it is there, or cannot be written.
    """
    charts = {name: to_svg(figure, name) for name, figure in figures.items()}
    return write_page(
        path,
        "penult.reporting",
        COMPARISON_SECTIONS,
        ComparisonContent(comparison=comparison, figures=charts),
        Thumbnails(lambda _: None),  # a comparison shows no photos
        overwrite=overwrite,
        template="comparison/page.html",
        folder="comparison",
        filters={"breakable": _breakable},
        comparison=comparison,
        headline=headline(comparison),
        compared=what_was_compared(comparison),
    )


def _breakable(name: str) -> Markup:
    """Say where a name may break: between networks that are joined, after a folder and a word.

    Short ones of those networks are marked, so that a heading breaks between them alone.
    """
    from markupsafe import Markup

    shown, part = [], Markup('<span class="part">{}</span>')
    for network in re.split(r"(?<=\+)", printable(name)):
        words = Markup("<wbr>").join(filter(None, re.split(r"(?<=[/,:_])", network)))
        is_part = network != name and len(network) <= SHORT_PART
        shown.append(part.format(words) if is_part else words)
    return Markup("<wbr>").join(shown)

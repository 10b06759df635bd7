"""What a section of the page is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from penult.reporting.content import Report
from penult.reporting.thumbnails import Thumbnails

__all__ = ["LARGE", "SMALL", "Section"]

SMALL, LARGE = 96, 224  # pixels of a thumbnail; shown at half that, for sharp screens


@dataclass(frozen=True, kw_only=True)
class Section:
    """One part of the page.

    Attributes
    ----------
    name : str
        Its anchor.
    title : str
        Its heading.
    content : callable
        Given the report and a maker of thumbnails, returns what the template calls ``content``, or
        None to leave the section out, as where a run did not make what it shows.
    tab : str
        Its entry in the navigation, where the title is too long for it.
    template : str
        The Jinja template of its HTML; by default the file ``templates/sections/NAME.html``. It
        sees ``report``, ``content``, and the macros of ``parts.html`` as ``parts``.
    """

    name: str
    title: str
    content: Callable[[Report, Thumbnails], Mapping[str, Any] | None]
    tab: str = ""
    template: str = ""

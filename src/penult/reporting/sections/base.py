"""What a section of the report is."""

from __future__ import annotations

from dataclasses import dataclass

from penult.reporting.content import Report
from penult.web import section
from penult.web.section import LARGE, SMALL

__all__ = ["EXAMPLE", "LARGE", "SMALL", "Section"]

EXAMPLE = 320  # pixels of the longer side of an image that stands for its class


@dataclass(frozen=True, kw_only=True)
class Section(section.Section[Report]):
    """One part of the report.

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

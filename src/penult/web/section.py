"""What a section of a page is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from penult.web.thumbnails import Thumbnails

__all__ = ["LARGE", "SMALL", "Section"]

SMALL, LARGE = 96, 224  # pixels of a thumbnail; shown at half that, for sharp screens

Shown = TypeVar("Shown")
"""What the whole page is made from."""


@dataclass(frozen=True, kw_only=True)
class Section(Generic[Shown]):
    """One part of a page.

    Attributes
    ----------
    name : str
        Its anchor.
    title : str
        Its heading.
    content : callable
        Given what the page shows and a maker of thumbnails, returns what the template calls
        ``content``, or None to leave the section out.
    tab : str
        Its entry in the navigation, where the title is too long for it.
    template : str
        The Jinja template of its HTML; by default a file of its name among the page's templates.
    """

    name: str
    title: str
    content: Callable[[Shown, Thumbnails], Mapping[str, Any] | None]
    tab: str = ""
    template: str = ""

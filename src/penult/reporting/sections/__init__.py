"""The sections of the page.

To add one, write ``NAME.py`` with a `SECTION` in this folder and ``templates/sections/NAME.html``,
and put its name into the list below. The page's navigation, headings and anchors follow from it.
"""

from __future__ import annotations

from importlib import import_module

from penult.reporting.sections.base import Section

__all__ = ["SECTIONS", "Section"]

SECTIONS: tuple[Section, ...] = tuple(
    import_module(f"{__name__}.{name}").SECTION
    for name in (
        "finetuning",
        "predictions",
        "classes",
        "confusion",
        "mistakes",
        "contradictions",
        "labels",
        "map",
        "clusters",
        "outliers",
        "curve",
        "duplicates",
        "layers",
        "retrieval",
        "scores",
        "failures",
        "making",
    )
)
"""In the order of the page: first what there is to do, then what there is to know."""

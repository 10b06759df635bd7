"""Colours for categories: of a map's page and, the first eight, of its figure."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["CATEGORICAL", "color_order"]

CATEGORICAL = (
    *("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#694b00", "#2d4b96"),
    *("#4b87e1", "#87d287", "#78b478", "#965a3c", "#3cd2f0", "#1e8778", "#00a5c3", "#783c4b"),
    *("#d2873c", "#8796ff", "#782d78", "#2d5ab4", "#4b7896", "#a5784b", "#87c35a", "#874b4b"),
    *("#4b5a96", "#8778c3", "#78c396", "#785a0f", "#78a55a", "#698700", "#c396a5", "#3ca5e1"),
)
"""Thirty-two colours as ``#rrggbb``, legible on white and on black; the first ones differ most.

The first six are those of Okabe and Ito (2008), any two of which the colour-blind can tell apart,
without black and yellow, which are lost on a dark or on a white page. From there on each is the one
farthest from those before it, and from the greys of rows without a value, in Ottosson's OKLab, by
the least of its distances to normal, protanopic and deuteranopic sight (Machado, Oliveira and
Fernandes 2009, severity 1), among colours whose channels are multiples of 15, of lightness 0.43 to
0.80 and chroma 0.04 to 0.155.

Up to eight classes have the same colours on a page and on a figure. Of more they have not: a page
counts on, for its legend, its pictures and its search tell classes apart, while a figure has shapes
beside colours, and gives them so that no two alike are near each other. Nor have they where rows
have several labels, which are one class on a page, and a ring each on a figure.
"""

_ORDERS = {"split": ("train", "validation", "test")}


def color_order(column: str, names: Iterable[str]) -> list[str]:
    """Sort the names of a column, each once, as they take colours and stand in a legend."""
    first = _ORDERS.get(column, ())
    return sorted(
        {*names},
        key=lambda name: (first.index(name) if name in first else len(first), name),
    )

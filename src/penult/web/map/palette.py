"""Colours for categories: of a map's page and of its figure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

__all__ = [
    "CATEGORICAL",
    "CATEGORICAL_ON_DARK",
    "NOISE",
    "NO_AND_YES",
    "Category",
    "color_order",
    "is_cluster",
]

Category: TypeAlias = "str | bool | int"

CATEGORICAL = (
    *("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#694b00", "#2d4b96"),
    *("#4b87e1", "#87d287", "#78b478", "#965a3c", "#3cd2f0", "#1e8778", "#00a5c3", "#783c4b"),
    *("#d2873c", "#8796ff", "#782d78", "#2d5ab4", "#4b7896", "#a5784b", "#87c35a", "#874b4b"),
    *("#4b5a96", "#8778c3", "#78c396", "#785a0f", "#78a55a", "#698700", "#c396a5", "#3ca5e1"),
)
"""Thirty-two colours as ``#rrggbb``, legible on white; the first ones differ most.

The first six are those of Okabe and Ito (2008), any two of which the colour-blind can tell apart,
without black, which is that of text, and yellow, which is lost on white. From there on each is the
one farthest from those before it, and from the greys of rows without a value, in Ottosson's OKLab,
by the least of its distances to normal, protanopic and deuteranopic sight (Machado, Oliveira and
Fernandes 2009, severity 1), among colours whose channels are multiples of 15, of lightness 0.43 to
0.80 and chroma 0.04 to 0.155.

A class has the same colour on a page as on a figure, where its shape tells it from others that look
much the same.
"""

CATEGORICAL_ON_DARK = (
    *("#3f9add", "#ffbc3c", "#44c295", "#ef99c8", "#75d2ff", "#fd823c", "#967638", "#5577c7"),
    *("#6dabff", "#a1eda0", "#96d395", "#c08162", "#5eedff", "#4eae9d", "#44c7e6", "#a76675"),
    *("#f4a75d", "#a4b5ff", "#a759a6", "#5485e3", "#709ebe", "#ca9b6e", "#a3e077", "#b37372"),
    *("#7283c3", "#aa9be9", "#94e0b2", "#a28340", "#98c67a", "#8dad3d", "#e2b4c3", "#60c6ff"),
)
"""The same colours on the dark page, each brighter: a contrast of 4 or more with its paper.

Of each the lightness L in OKLab became 0.58 + (L - 0.43) 0.30 / 0.37, so that the darkest are seen,
hues stay, and no two come much nearer to each other.
"""

NO_AND_YES = ("#7fa8d6", "#d4480b")
"""Of what is false and true, on paper."""

NOISE = -1
"""The number of no cluster, which has no colour of its own."""

_ORDERS = {"split": ("train", "validation", "test")}


def is_cluster(column: str) -> bool:
    """Whether a column says by its name that its numbers are those of clusters."""
    return column == "cluster" or column.endswith("_cluster")


def color_order(column: str, values: Iterable[Category]) -> list[Category]:
    """Sort the values of a column, each once, as they take colours and stand in a legend.

    Numbers come before texts, in their order, and noise after all clusters.
    """
    first = _ORDERS.get(column, ())

    def place(value: Category) -> tuple[bool, bool, int, str]:
        if isinstance(value, str):
            return False, True, first.index(value) if value in first else len(first), value
        return is_cluster(column) and value == NOISE, False, value, ""

    return sorted({*values}, key=place)

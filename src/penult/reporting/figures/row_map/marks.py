"""The colour and shape of each class on a map, for eyes that do not tell all colours apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.reporting.figures.colors import PAPER
from penult.web.map.palette import CATEGORICAL

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = [
    "COLORS",
    "NOTHING",
    "ONE_SHAPE_UP_TO",
    "SHAPES",
    "Mark",
    "choose_marks",
    "dot_size",
    "ink_of",
]

COLORS = CATEGORICAL
"""In the order in which classes take them, on a page as well."""

SHAPES = ("o", "^", "s", "D", "v", "P")
"""By matplotlib's names; the first stands alone where there are few classes."""

ONE_SHAPE_UP_TO = 8
"""Classes whose colours differ enough without shapes, also to the colour-blind."""

NOTHING = "#b9bac2"
"""Of rows that have no label."""

_DOTS_AS_PICTURE = 5_000
_DARKEST = 0.18  # relative luminance of text that is read on white: a contrast of 4.5


@dataclass(frozen=True)
class Mark:
    """How a class is drawn.

    Attributes
    ----------
    color : str
        As ``#rrggbb``.
    shape : str
        One of `SHAPES`.
    """

    color: str
    shape: str


def choose_marks(centers: NDArray[np.float64]) -> list[Mark]:
    """Give each class a colour and a shape.

    Colours come in one order, which is that of the page, and again after the last. Up to eight
    classes are dots. Of more, each in turn gets the shape whose nearest owner of the same colour is
    farthest away on the map, and of several such that whose nearest owner of any colour is: so that
    none is beside one that looks the same, whatever colours the reader can tell apart.

    Parameters
    ----------
    centers : float64 array, shape (K, 2)
        Where on the map each class is.

    Returns
    -------
    list of Mark, length K
    """
    colors = [COLORS[k % len(COLORS)] for k in range(len(centers))]
    if len(centers) <= ONE_SHAPE_UP_TO:
        return [Mark(color, SHAPES[0]) for color in colors]
    shapes = np.zeros(len(centers), int)
    for k, center in enumerate(centers):
        away = np.linalg.norm(centers[:k] - center, axis=1)
        same = np.array([one == colors[k] for one in colors[:k]], bool)

        def room(shape: int, k: int = k, away: Any = away, same: Any = same) -> tuple[float, float]:
            owned = shapes[:k] == shape
            return min(away[owned & same], default=np.inf), min(away[owned], default=np.inf)

        shapes[k] = max(range(len(SHAPES)), key=room)
    return [Mark(color, SHAPES[s]) for color, s in zip(colors, shapes, strict=True)]


def dot_size(axes: Axes, points: int) -> tuple[float, dict[str, Any]]:
    """Of dots, so many of which lie on a map: their area, and how else they are drawn.

    Returns
    -------
    size : float
        In square points.
    style : dict
        Of many, one picture is made in SVG, and they have no edges.
    """
    room = float(np.prod(axes.get_figure().get_size_inches()))  # type: ignore[union-attr]
    style = {
        "rasterized": points > _DOTS_AS_PICTURE,
        "edgecolors": PAPER,
        "linewidths": 0.35 if points <= _DOTS_AS_PICTURE else 0,
    }
    return float(np.clip(350 * room / max(1, points), 3, 34)), style


def ink_of(color: str) -> str:
    """Darken a colour until text in it can be read on white, keeping its hue."""
    rgb = np.array([int(color[k : k + 2], 16) / 255 for k in (1, 3, 5)])
    while _luminance(rgb) > _DARKEST:
        rgb = rgb * 0.95
    return "#" + "".join(f"{round(255 * one):02x}" for one in rgb)


def _luminance(rgb: NDArray[np.float64]) -> float:
    """Relative luminance, as WCAG 2 defines it for sRGB."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))

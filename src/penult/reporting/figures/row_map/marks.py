"""The colour and shape of each class on a map, for eyes that do not tell all colours apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from penult.web.map.palette import CATEGORICAL

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["COLORS", "NOTHING", "SHAPES", "Mark", "choose_marks", "ink_of"]

COLORS = CATEGORICAL[:8]
"""Those that differ most, also to the colour-blind."""

SHAPES = ("o", "^", "s", "D", "v", "P")
"""By matplotlib's names; a colour comes again with the next of them."""

NOTHING = "#b9bac2"
"""Of rows that have no label."""

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

    Up to eight classes have a colour each, always in the same order. Of more, each in turn gets the
    mark whose nearest owner on the map is farthest away, so that none is beside one that looks the
    same: first by its colour, then by colour and shape.

    Parameters
    ----------
    centers : float64 array, shape (K, 2)
        Where on the map each class is.

    Returns
    -------
    list of Mark, length K
    """
    if len(centers) <= len(COLORS):
        return [Mark(color, SHAPES[0]) for color in COLORS[: len(centers)]]
    colors = np.zeros(len(centers), int)
    shapes = np.zeros(len(centers), int)
    for k, center in enumerate(centers):
        away = np.linalg.norm(centers[:k] - center, axis=1)
        colors[k] = _farthest(away, colors[:k], len(COLORS))
        same = colors[:k] == colors[k]
        shapes[k] = _farthest(away[same], shapes[:k][same], len(SHAPES))
    return [Mark(COLORS[c], SHAPES[s]) for c, s in zip(colors, shapes, strict=True)]


def _farthest(away: NDArray[np.float64], owned: NDArray[np.int64], choices: int) -> int:
    """The choice whose nearest owner is farthest away; the first that nobody owns."""
    nearest = [min(away[owned == one], default=np.inf) for one in range(choices)]
    return int(np.argmax(nearest))


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

"""Rows of a map by a column that is measured: dots on a scale of colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from penult.messages import printable
from penult.reporting.figures.colors import GRID, PAPER, SOFT
from penult.reporting.figures.row_map.marks import NOTHING, dot_size
from penult.web.map.columns import color_range
from penult.wording import count

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from penult.records import RowMap

__all__ = ["Measured", "measured"]

_ENDS = 0.0, 0.93
"""Of viridis, without the end that paper would swallow; as on a page."""


class Measured:
    """A column that is measured.

    Parameters
    ----------
    name : str
        What it is called.
    values : float64 array, shape (n,)
        NaN where there is none.
    """

    def __init__(self, name: str, values: NDArray[np.float64]) -> None:
        from matplotlib import colormaps
        from matplotlib.colors import ListedColormap, Normalize

        self.name = name
        self.values = values
        self.known = np.isfinite(values)
        self._map = ListedColormap(colormaps["viridis"](np.linspace(*_ENDS, 256)))
        self._range = color_range(values)
        self._norm = Normalize(*self._range, clip=True)

    def color(self, row: int) -> Any:
        """The colour of a row, as matplotlib takes it."""
        return self._map(self._norm(self.values[row])) if self.known[row] else NOTHING

    def draw(self, axes: Axes, xy: NDArray[np.float32], *, alpha: float = 0.85) -> str:
        """Draw dots, larger values above smaller ones, and the scale beside them.

        Returns
        -------
        str
            What is to be said of grey dots; "" where there are none.
        """
        size, style = dot_size(axes, len(xy))
        bare = np.flatnonzero(~self.known)
        if len(bare):
            axes.scatter(xy[bare, 0], xy[bare, 1], s=size * 0.8, c=NOTHING, zorder=1, **style)
        order = np.flatnonzero(self.known)
        order = order[np.argsort(self.values[order], kind="stable")]
        dots = axes.scatter(
            xy[order, 0],
            xy[order, 1],
            s=size,
            c=self.values[order],
            cmap=self._map,
            norm=self._norm,
            alpha=alpha,
            zorder=2,
            **style,
        )
        self._scale(axes, dots)
        return f"grey: {count(len(bare), 'row')} without a {self.name}" if len(bare) else ""

    def _scale(self, axes: Axes, dots: Any) -> None:
        figure: Any = axes.figure
        beside = axes.inset_axes((1.02, 0.3, 0.022, 0.4))
        known = self.values[self.known]
        low, high = self._range
        beyond = ("neither", "min", "max", "both")[
            int((known < low).any()) + 2 * int((known > high).any())
        ]
        bar = figure.colorbar(dots, cax=beside, extend=beyond)
        bar.solids.set_alpha(1)
        bar.outline.set(color=GRID, linewidth=0.8)
        beside.tick_params(length=0, labelsize=9, labelcolor=SOFT, pad=4)
        beside.set_facecolor(PAPER)
        beside.set_title(
            printable(self.name), loc="left", fontsize=9.5, color=SOFT, pad=10, parse_math=False
        )


def measured(row_map: RowMap, color_by: str | None) -> Measured | None:
    """The column that colours, if it is measured."""
    given = row_map.columns.get(color_by or "", ())
    known = [one for one in given if one is not None]
    if color_by is None or not known or not all(isinstance(one, float) for one in known):
        return None
    return Measured(color_by, np.array([np.nan if one is None else one for one in given]))

"""A map in small squares, to count quickly what lies in rectangles of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Raster", "Sums"]

_CELL = 4.0  # pixels


@dataclass(frozen=True)
class Raster:
    """What lies in each cell of a frame.

    Attributes
    ----------
    low : float64 array, shape (2,)
        The lower left corner, in pixels.
    cells : int64 array, shape (columns, rows)
    cell : float
        Side of a cell, in pixels.
    """

    low: NDArray[np.float64]
    cells: NDArray[np.int64]
    cell: float = _CELL

    @classmethod
    def around(cls, x: float, y: float, width: float, height: float) -> Raster:
        """Make an empty one, of a frame's middle and sides."""
        low = np.array([x - width / 2, y - height / 2])
        shape = np.ceil(np.array([width, height]) / _CELL).astype(int) + 1
        return cls(low, np.zeros(shape, np.int64))

    def of_dots(self, dots: NDArray[np.float64], radius: float | None = None) -> Raster:
        """Count dots in the cells of their middles, or with a radius mark all cells they lie on.

        Parameters
        ----------
        dots : float64 array, shape (n, 2)
            Those out of the frame do not count.
        radius : float, optional
            Of a dot, in pixels.
        """
        cells = np.zeros_like(self.cells)
        at = np.floor((dots - self.low) / self.cell).astype(int)
        if radius is None:
            at = at[((at >= 0) & (at < cells.shape)).all(axis=1)]
            np.add.at(cells, (at[:, 0], at[:, 1]), 1)
            return replace(self, cells=cells)
        first = np.floor((dots - radius - self.low) / self.cell).astype(int)
        wide = int(np.ceil(2 * radius / self.cell)) + 1
        for dx in range(wide):
            for dy in range(wide):
                moved = first + np.array([dx, dy])
                nearest = np.clip(
                    dots, self.low + moved * self.cell, self.low + (moved + 1) * self.cell
                )
                on = np.linalg.norm(nearest - dots, axis=1) < radius
                inside = ((moved >= 0) & (moved < cells.shape)).all(axis=1)
                some = moved[on & inside]
                cells[some[:, 0], some[:, 1]] = 1
        return replace(self, cells=cells)

    def with_box(self, x: float, y: float, width: float, height: float) -> Raster:
        """Mark a rectangle as well."""
        cells = self.cells.copy()
        half = np.array([width, height]) / 2
        low = np.floor((np.array([x, y]) - half - self.low) / self.cell).astype(int)
        high = np.ceil((np.array([x, y]) + half - self.low) / self.cell).astype(int)
        (left, below), (right, above) = np.maximum(low, 0), np.maximum(high, 0)
        cells[left:right, below:above] = 1
        return replace(self, cells=cells)

    def sums(self) -> Sums:
        """Add them up, so that any rectangle's sum takes four look-ups."""
        table = np.pad(self.cells.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
        return Sums(self.low, self.cell, table)


@dataclass(frozen=True)
class Sums:
    """Sums over rectangles from the lower left corner: a summed-area table (Crow, 1984)."""

    low: NDArray[np.float64]
    cell: float
    table: NDArray[np.int64]

    def inside(self, middles: NDArray[np.float64], size: NDArray[np.float64]) -> NDArray[np.int64]:
        """Sum what lies in rectangles of one size, to the nearest cell.

        Parameters
        ----------
        middles : float64 array, shape (m, 2)
        size : float64 array, shape (2,)
            Width and height.

        Returns
        -------
        int64 array, shape (m,)
        """
        most = np.array(self.table.shape) - 1
        low = np.clip(np.round((middles - size / 2 - self.low) / self.cell), 0, most).astype(int)
        high = np.clip(np.round((middles + size / 2 - self.low) / self.cell), 0, most).astype(int)
        (left, below), (right, above) = low.T, high.T
        table = self.table
        found: NDArray[np.int64] = (
            table[right, above] - table[left, above] - table[right, below] + table[left, below]
        )
        return found

"""Which photos of a map have room, each at its own place and none on another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["choose_photos"]


def choose_photos(xy: NDArray[np.float64], side: float, *, seed: int = 0) -> NDArray[np.int64]:
    """Choose rows in random order, each unless its square would lie on one that was chosen.

    So dense regions are thinned, to as many as have room, and every photo that is left lies where
    its dot would be.

    Parameters
    ----------
    xy : float64 array, shape (n, 2)
        Middles of the squares.
    side : float
        Of a square, and of the gap beside it, in the same unit.
    seed : int, default=0
        Of the order.

    Returns
    -------
    int64 array, shape (m,)
        Ascending places.
    """
    order = np.random.default_rng(seed).permutation(len(xy))
    # In a cell as large as a square lies the middle of one at most: of the nine cells around a
    # place, it is enough to look into each.
    cells: dict[tuple[int, int], int] = {}
    chosen = []
    for row in order.tolist():
        x, y = xy[row]
        column, line = int(x // side), int(y // side)
        near = (cells.get((column + dx, line + dy)) for dx in (-1, 0, 1) for dy in (-1, 0, 1))
        if all(one is None or np.abs(xy[one] - xy[row]).max() >= side for one in near):
            cells[column, line] = row
            chosen.append(row)
    return np.sort(np.array(chosen, np.int64))

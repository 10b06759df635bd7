"""Fitting a projection: which solver, which signs, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from penult.errors import TrainingError, UsageError
from penult.interface import option
from penult.machine import free_memory
from penult.recipe import Projection
from penult.reduction.moments import NOTHING
from penult.reduction.solvers import (
    Blocks,
    Components,
    by_covariance,
    by_products,
    by_sketch,
    sketch_width,
)
from penult.wording import count

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Blocks", "fit_projection", "require_components"]


def require_components(components: int, rows: int, width: int) -> None:
    """Refuse more components than such rows can have, before any is read.

    Parameters
    ----------
    components : int
        How many were asked for.
    rows : int
        How many rows they are fitted on.
    width : int
        Numbers of a row.

    Raises
    ------
    UsageError
        Says how many there can be.
    """
    if components < 1:
        raise UsageError(f"{components} principal components were asked for; give 1 or more")
    if rows < 2:
        raise UsageError(
            f"principal components of {count(rows, 'row')} were asked for; give two or more"
        )
    most = min(width, rows - 1)
    if most < 1:
        raise UsageError("rows of no numbers have no principal components")
    if components > most:
        why = (
            f"rows of {count(width, 'number')} have {width:,} at most"
            if width < rows
            else f"{count(rows, 'row')} span no more than {most:,}"
        )
        raise UsageError(
            f"{count(components, 'principal component')} were asked for, but {why}; give "
            f"{most:,} or fewer"
        )


def fit_projection(
    blocks: Blocks,
    rows: int,
    width: int,
    components: int,
    *,
    whiten: bool = False,
    fewer: bool = False,
    memory: int | None = None,
) -> Projection:
    """Fit a principal component analysis on rows that are read block by block.

    It is that of scikit-learn's ``PCA(svd_solver="full")``, its signs too, in float64. Where
    neither the (D, D) covariance nor all rows fit into the memory, it is approximated by subspace
    iteration.

    Parameters
    ----------
    blocks : callable
        Reads the rows from the first to the last, each call anew: float32 arrays of shape (m, D).
    rows : int
        How many there are.
    width : int
        Numbers of a row, D.
    components : int
        How many numbers are to be left.
    whiten : bool
        Whether each is to be scaled to variance one.
    fewer : bool
        Whether as many components will do as there are directions in which the rows vary, where
        those are fewer.
    memory : int, optional
        Bytes that may be taken; half of what is free by default.

    Returns
    -------
    Projection
        Of `components` components; of fewer, where that was allowed.

    Raises
    ------
    UsageError
        If there cannot be so many components.
    TrainingError
        If the rows do not vary in so many directions, hold numbers too large, or nothing fits into
        the memory.
    """
    require_components(components, rows, width)
    room = free_memory() // 2 if memory is None else memory
    found = _solve(blocks, rows, width, components, room)
    largest = float(max(np.abs(found.mean).max(), found.variance.max(), found.total_variance))
    if not largest <= float(np.finfo(np.float32).max):
        raise TrainingError(
            f"the rows hold numbers so large that their variance is {largest:.0e}, more than "
            "float32 holds; divide them by their length first, by extracting them with "
            f"{option('normalize', 'l2')}"
        )
    scale = found.total_variance + float(found.mean @ found.mean)
    varying = int((found.variance > NOTHING * scale).sum())
    if varying < components:
        if not varying:
            raise TrainingError(
                f"all {count(rows, 'row')} are the same: there is nothing to project on"
            )
        if not fewer:
            raise TrainingError(
                f"{count(components, 'principal component')} were asked for, but "
                f"{count(rows, 'row')} vary in {count(varying, 'direction')} only; give "
                f"{varying:,} or fewer"
            )
    return Projection(
        mean=found.mean.astype(np.float32),
        components=_signed(found.directions[:varying]).astype(np.float32),
        explained_variance=found.variance[:varying].astype(np.float32),
        total_variance=found.total_variance,
        whiten=whiten,
    )


def _solve(blocks: Blocks, rows: int, width: int, components: int, room: int) -> Components:
    covariance = 8 * width**2 + 16 * width * components
    products = 4 * rows * width + 8 * rows**2 + 16 * rows * components + 8 * width * components
    sketch = 32 * width * sketch_width(components, rows, width)
    if rows < width and products <= room:
        return by_products(blocks, rows, width, components)
    if covariance <= room:
        return by_covariance(blocks, width, components)
    if sketch <= room:
        return by_sketch(blocks, rows, width, components)
    raise TrainingError(
        f"{count(components, 'principal component')} of rows of {width:,} numbers need "
        f"{sketch / 1e9:,.1f} GB of memory, and {room / 1e9:,.1f} GB may be taken; give fewer"
    )


def _signed(directions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn each so that its largest number is positive, as scikit-learn does."""
    largest = np.abs(directions).argmax(axis=1)
    signs = np.sign(directions[np.arange(len(directions)), largest])
    turned: NDArray[np.float64] = directions * signs[:, None]
    return turned

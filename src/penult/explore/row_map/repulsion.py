"""The repulsion of t-SNE by whichever approximation takes less time: a tree, or interpolation."""

from __future__ import annotations

from math import log2
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["interpolates", "kl_divergence"]

# openTSNE's: nodes of an interval, and intervals along each axis, of one unit or more of them.
_NODES, _LEAST_INTERVALS = 3, 50
# Measured at `tsne`'s theta of 0.65: a cell of the grid takes 0.11 µs, and a point as many times
# 0.18 µs as the tree has levels (0.14 to 0.27 of 4,000 to 30,000 points, more where they lie in
# groups), of which two cores take half; the grid's Fourier transforms run on one.
_CELLS_PER_STEP = 0.8


def interpolates(points: NDArray[np.float64]) -> bool:
    """Whether interpolation (Linderman et al., 2019) is to be faster than Barnes and Hut's tree.

    The tree's time grows with the points, n log n, and interpolation's with the area that they
    cover: its grid has one interval a unit. Maps begin small, and grow. The number of cores has no
    part in it, so that a map does not depend on that.

    Parameters
    ----------
    points : float64 array, shape (n, 2)
    """
    n = len(points)
    intervals = max(_LEAST_INTERVALS, float(np.ptp(points, axis=0).max()))
    cells = (2 * _NODES * intervals) ** 2  # of twice the grid, which does not wrap around
    return cells < _CELLS_PER_STEP * n * log2(n)


def kl_divergence(embedding: Any, *given: Any, **options: Any) -> Any:
    """The divergence and its gradient, as openTSNE's ``negative_gradient_method`` may be one."""
    from openTSNE.tsne import kl_divergence_bh, kl_divergence_fft

    method = kl_divergence_fft if interpolates(np.asarray(embedding)) else kl_divergence_bh
    return method(embedding, *given, **options)

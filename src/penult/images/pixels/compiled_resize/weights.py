"""What each resized pixel is made of: Pillow's weights, to the last bit."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from penult.images.pixels.axis import Axis

__all__ = ["AT_ONCE", "FILTERS", "WEIGHT_BITS", "weights"]

AT_ONCE = 4
"""So many pixels are read at a time."""

WEIGHT_BITS = 22
"""Of a weight, behind the point: Pillow's PRECISION_BITS."""

_Floats = NDArray[np.float64]

# Some 10 KB each, and 64 of 12 megapixels; photos of one camera, or one web site, are mostly alike.
_EDGES_KEPT = 256


def _bilinear(x: _Floats) -> _Floats:
    x = np.abs(x)
    return np.where(x < 1.0, 1.0 - x, 0.0)


def _bicubic(x: _Floats) -> _Floats:
    x = np.abs(x)
    near = ((-0.5 + 2.0) * x - (-0.5 + 3.0)) * x * x + 1
    far = (((x - 5) * x + 8) * x - 4) * -0.5
    return np.where(x < 1.0, near, np.where(x < 2.0, far, 0.0))


def _lanczos(x: _Floats) -> _Floats:
    product = _sinc(x) * _sinc(x / 3)
    return np.where((x >= -3.0) & (x < 3.0), product, 0.0)


def _sinc(x: _Floats) -> _Floats:
    angles = x * math.pi
    # The C library's, as Pillow takes; NumPy's own may differ in the last bit.
    sines = np.array([math.sin(angle) for angle in angles.ravel().tolist()]).reshape(x.shape)
    ratios: _Floats = np.divide(sines, angles, out=np.ones_like(x), where=x != 0.0)
    return ratios


FILTERS: dict[str, tuple[int, Callable[[_Floats], _Floats]]] = {
    "bilinear": (1, _bilinear),
    "bicubic": (2, _bicubic),
    "lanczos": (3, _lanczos),
}
"""By Pillow's name: beyond how many pixels from its centre a filter is zero, and the filter."""


@lru_cache(_EDGES_KEPT)
def weights(
    edge: Axis, interpolation: str, step: int = 1
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Say of each pixel that is kept of an edge where its neighbours begin, and what each counts.

    Operation by operation as Pillow's Resample.c has it, in its order, since sums of floats depend
    on that.

    Parameters
    ----------
    edge : Axis
        What it is resized to, and what of that is kept.
    interpolation : str
        One of `FILTERS`.
    step : int
        All pixels have a multiple of so many neighbours, unless the edge is shorter than that.

    Returns
    -------
    starts : int64 array, shape (n,)
        The first neighbour; there are as many from there on as there are weights.
    weights : int32 array, shape (n, k)
        With `WEIGHT_BITS` behind the point.
    """
    support, form = FILTERS[interpolation]
    scale = edge.size / edge.resized
    stretch = max(scale, 1.0)
    reach = support * stretch
    centers = (np.arange(edge.first, edge.first + edge.count) + 0.5) * scale
    starts = np.maximum((centers - reach + 0.5).astype(np.int64), 0)
    taps = np.minimum((centers + reach + 0.5).astype(np.int64), edge.size) - starts
    k = np.arange(taps.max())
    found = form((k + starts[:, None] - centers[:, None] + 0.5) * (1.0 / stretch))
    counts = k < taps[:, None]
    found[~counts] = 0.0
    totals = np.add.accumulate(found, axis=1)[:, -1:]  # one after the other, as `np.sum` does not
    scaled = found / totals * (1 << WEIGHT_BITS)
    whole = (scaled + np.copysign(0.5, scaled)).astype(np.int32)
    length = min(-(-len(k) // step) * step, edge.size)
    # Neighbours begin early where they would end too late.
    begin = np.minimum(starts, edge.size - length)
    placed = np.zeros((edge.count, length), np.int32)
    pixel, tap = np.nonzero(counts)
    placed[pixel, tap + (starts - begin)[pixel]] = whole[counts]
    return begin, placed

"""Pillow's resize of RGB images, operation by operation as its Resample.c does it, for Numba.

Numba keeps the order of operations on floats, so that the weights are Pillow's to the last bit; the
sums are of integers. Indices have no sign where they are many: of those that have one, Numba has to
ask whether they count from the end.
"""

from __future__ import annotations

import math
from typing import Any, no_type_check

import numpy as np
from numba import njit

__all__ = ["forget", "resize"]


_WEIGHT_BITS = 22  # Pillow's PRECISION_BITS
_HALF = np.int32(1 << (_WEIGHT_BITS - 1))
_BYTE, _GREEN, _BLUE = np.uint32(255), np.uint32(8), np.uint32(16)


def _compiled(function: Any) -> Any:
    try:
        return njit(function, nogil=True, cache=True)
    except RuntimeError:  # no folder that the compiled code could be kept in
        return njit(function, nogil=True)


@_compiled
@no_type_check
def _sinc(x):
    if x == 0.0:
        return 1.0
    x *= math.pi
    return math.sin(x) / x


@_compiled
@no_type_check
def _filter(support, x):
    if support == 3:  # Lanczos
        return _sinc(x) * _sinc(x / 3) if -3.0 <= x < 3.0 else 0.0
    x = abs(x)
    if support == 1:
        return 1.0 - x if x < 1.0 else 0.0
    if x < 1.0:
        return ((-0.5 + 2.0) * x - (-0.5 + 3.0)) * x * x + 1
    return (((x - 5) * x + 8) * x - 4) * -0.5 if x < 2.0 else 0.0


@_compiled
@no_type_check
def _weights(size, resized, first, count, support):
    """What each kept pixel is made of: the first of its neighbours, and the weights of all."""
    scale = size / resized
    stretch = max(scale, 1.0)
    reach = support * stretch
    centers = (np.arange(first, first + count) + 0.5) * scale
    starts, taps = np.empty(count, np.uintp), np.empty(count, np.uintp)
    for pixel in range(count):
        start = max(int(centers[pixel] - reach + 0.5), 0)
        starts[pixel] = start
        taps[pixel] = min(int(centers[pixel] + reach + 0.5), size) - start
    length = taps.max()
    weights = np.zeros((count, length), np.int32)
    found = np.empty(length)
    for pixel in range(count):
        start = starts[pixel]
        total = 0.0
        for k in range(taps[pixel]):
            found[k] = _filter(support, (k + start - centers[pixel] + 0.5) * (1.0 / stretch))
            total += found[k]
        # All pixels have as many neighbours, which begin early where they would end too late.
        starts[pixel] = min(start, np.uintp(size) - length)
        for k in range(taps[pixel]):
            weight = found[k] / total * (1 << _WEIGHT_BITS)
            weights[pixel, k + start - starts[pixel]] = int(weight + math.copysign(0.5, weight))
    return starts, weights


@_compiled
@no_type_check
def resize(words, across, down, support, out):
    """Resize and crop into `out`, of shape (H, W, 3); `words` are Pillow's pixels, as uint32.

    `across` and `down` are (size, resized, first, count) of an edge each.
    """
    x_starts, x_weights = _weights(across[0], across[1], across[2], across[3], support)
    y_starts, y_weights = _weights(down[0], down[1], down[2], down[3], support)
    columns, x_taps = np.uintp(x_weights.shape[0]), np.uintp(x_weights.shape[1])
    y_taps = np.uintp(y_weights.shape[1])
    top = y_starts[0]
    rows = y_starts[-1] + y_taps - top
    # Pillow rounds to bytes between the passes.
    narrow = np.empty((rows, columns), np.uint32)
    for y in range(rows):
        for x in range(columns):
            red = green = blue = _HALF
            start = x_starts[x]
            for k in range(x_taps):
                weight, word = x_weights[x, k], words[top + y, start + k]
                red = np.int32(red + weight * np.int32(word & _BYTE))
                green = np.int32(green + weight * np.int32((word >> _GREEN) & _BYTE))
                blue = np.int32(blue + weight * np.int32((word >> _BLUE) & _BYTE))
            narrow[y, x] = (
                min(max(red >> _WEIGHT_BITS, 0), 255)
                | min(max(green >> _WEIGHT_BITS, 0), 255) << 8
                | min(max(blue >> _WEIGHT_BITS, 0), 255) << 16
            )
    samples = narrow.view(np.uint8)
    sums = np.empty(4 * columns, np.int32)
    for y in range(np.uintp(len(out))):
        sums[:] = _HALF
        start = y_starts[y] - top
        for k in range(y_taps):
            weight = y_weights[y, k]
            for x in range(np.uintp(4) * columns):
                sums[x] = np.int32(sums[x] + weight * np.int32(samples[start + k, x]))
        for x in range(columns):
            for color in range(np.uintp(3)):
                out[y, x, color] = min(max(sums[np.uintp(4) * x + color] >> _WEIGHT_BITS, 0), 255)


def forget() -> None:
    """Throw away what was compiled, and kept, at an earlier time."""
    for function in (_sinc, _filter, _weights, resize):
        function.recompile()

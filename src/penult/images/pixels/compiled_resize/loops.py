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

from penult.images.pixels.compiled_resize.lanes import PIXELS, WEIGHT_BITS, across, down

__all__ = ["forget", "resize"]

_PIXELS = np.uintp(PIXELS)


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
def _weights(size, resized, first, count, support, step):
    """What each kept pixel is made of: the first of its neighbours, and the weights of all.

    Of those, there is a multiple of `step`, unless the image is too small for that.
    """
    scale = size / resized
    stretch = max(scale, 1.0)
    reach = support * stretch
    centers = (np.arange(first, first + count) + 0.5) * scale
    starts, taps = np.empty(count, np.uintp), np.empty(count, np.uintp)
    for pixel in range(count):
        start = max(int(centers[pixel] - reach + 0.5), 0)
        starts[pixel] = start
        taps[pixel] = min(int(centers[pixel] + reach + 0.5), size) - start
    length = min((taps.max() + step - np.uintp(1)) // step * step, np.uintp(size))
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
            weight = found[k] / total * (1 << WEIGHT_BITS)
            weights[pixel, k + start - starts[pixel]] = int(weight + math.copysign(0.5, weight))
    return starts, weights


@_compiled
@no_type_check
def resize(words, columns, lines, support, out):
    """Resize and crop into `out`, of shape (H, W, 3); `words` are Pillow's pixels, as uint32.

    `columns` and `lines` are (size, resized, first, count) of an edge each. False, and nothing is
    written, where the image is smaller than what is read at a time.
    """
    x_starts, x_weights = _weights(columns[0], columns[1], columns[2], columns[3], support, _PIXELS)
    y_starts, y_weights = _weights(lines[0], lines[1], lines[2], lines[3], support, np.uintp(1))
    width, x_taps = np.uintp(x_weights.shape[0]), np.uintp(x_weights.shape[1])
    height, y_taps = np.uintp(y_weights.shape[0]), np.uintp(y_weights.shape[1])
    if width < _PIXELS or x_taps % _PIXELS:
        return False
    top = y_starts[0]
    # Pillow rounds to bytes between the passes.
    narrow = np.empty((y_starts[-1] + y_taps - top, width), np.uint32)
    for y in range(np.uintp(len(narrow))):
        line = (top + y) * np.uintp(words.shape[1])
        for x in range(width):
            at = line + x_starts[x]
            narrow[y, x] = across(words, at, x_weights, x * x_taps, x_taps // _PIXELS)
    for y in range(height):
        line = (y_starts[y] - top) * width
        for some in range((width + _PIXELS - np.uintp(1)) // _PIXELS):
            x = min(some * _PIXELS, width - _PIXELS)  # the last may be written twice
            to = (y * width + x) * np.uintp(3)
            down(narrow, line + x, width, y_weights, y * y_taps, y_taps, out, to)
    return True


def forget() -> None:
    """Throw away what was compiled, and kept, at an earlier time."""
    for function in (_sinc, _filter, _weights, resize):
        function.recompile()

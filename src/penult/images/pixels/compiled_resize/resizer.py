"""The compiled resize, which is loaded while Pillow's goes on, once it pays."""

from __future__ import annotations

import logging
from collections.abc import Callable
from inspect import isfunction
from threading import Lock, Thread
from typing import cast

import nanoarrow
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL import __version__ as pillow_version

from penult.extras import is_installed
from penult.images.pixels.axis import Axis, is_across_first
from penult.machine import free_memory

__all__ = ["CompiledResize", "preload"]

_log = logging.getLogger("penult")

# Loading takes 0.7 s of CPU, compiling once 2 s; an image then takes 1.7 ms less.
_WORTH_LOADING = 256
_ROOM = 1 << 30  # bytes; 170 MB are kept, and of addresses more is taken to compile

# Pillow's name of a filter, and beyond how many pixels from its centre it is zero.
_SUPPORT = {"bilinear": 1, "bicubic": 2, "lanczos": 3}

_Loops = Callable[..., bool]


class CompiledResize:
    """Resize and crop by one filter, to Pillow's bits; safe to call from any thread.

    Of all that a process resizes, the first few hundred images are left to Pillow, so that no
    short command waits for a compiler. Which of the two it was cannot be seen in a pixel: before
    the compiled loops are used, they are compared with the Pillow that is installed.

    Parameters
    ----------
    interpolation : str
        Pillow's name of a filter.
    """

    def __init__(self, interpolation: str) -> None:
        self._interpolation = interpolation

    def __call__(self, image: Image.Image, across: Axis, down: Axis) -> NDArray[np.uint8] | None:
        """Give the pixels that the crop keeps.

        Parameters
        ----------
        image : Pillow image
            Of mode RGB.
        across, down : Axis
            Its two edges.

        Returns
        -------
        uint8 array, shape (down.count, across.count, 3), or None
            None if this one is left to Pillow.
        """
        resized = across.resized, down.resized
        if (
            self._interpolation not in _SUPPORT
            or image.size == resized
            or not is_across_first(image.size, resized)
        ):
            return None
        loops = _LOADING.loops()
        return None if loops is None else _apply(loops, image, across, down, self._interpolation)


def _apply(
    loops: _Loops, image: Image.Image, across: Axis, down: Axis, interpolation: str
) -> NDArray[np.uint8] | None:
    try:
        # Pillow's own memory, four bytes a pixel; nothing is copied.
        held = nanoarrow.c_array(image).view().child(0).buffer(1)
    except ValueError:  # it lies in several pieces, as large images may
        return None
    words = np.frombuffer(held, np.uint32).reshape(image.height, image.width)
    pixels = np.empty((down.count, across.count, 3), np.uint8)
    edges = [(edge.size, edge.resized, edge.first, edge.count) for edge in (across, down)]
    return pixels if loops(words, *edges, _SUPPORT[interpolation], pixels) else None


class _Loading:
    """The loops, imported in a thread of their own after so many images of this process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._seen = 0
        self._loops: _Loops | None = None

    def loops(self) -> _Loops | None:
        """Count an image, and give the loops once they are there."""
        if self._loops is None:
            with self._lock:
                self._seen += 1
                is_due = self._seen == _WORTH_LOADING
            if is_due:
                self._load_meanwhile()
        return self._loops

    def _load_meanwhile(self) -> None:
        try:
            Thread(target=self.load, name="penult-compiled-resize").start()
        except RuntimeError as error:  # more threads are not allowed
            _tell_why_not(error)

    def load(self) -> None:
        """Import the loops, and take them if they do as Pillow does."""
        if not is_installed("numba"):
            return
        if free_memory() < _ROOM:
            # LLVM ends the process where it gets none.
            _tell_why_not("there is too little memory")
            return
        try:
            loops = _compiled_loops()
        except Exception as error:  # Numba refuses a NumPy that is newer than it knows, for one
            _tell_why_not(error)
            return
        if loops is not None:
            self._loops = loops
            _log.info("resizing is compiled from now on")


def _compiled_loops() -> _Loops | None:
    from penult.images.pixels.compiled_resize.loops import forget, resize

    if isfunction(resize):
        _tell_why_not("Numba is told not to compile, by NUMBA_DISABLE_JIT")
        return None
    try:
        is_right = _is_as_pillow(resize)
    except Exception:  # what was kept of an earlier time is damaged
        forget()
        is_right = _is_as_pillow(resize)
    if not is_right:
        _tell_why_not(f"Pillow {pillow_version} resizes otherwise")
        return None
    return cast("_Loops", resize)


def _tell_why_not(reason: object) -> None:
    _log.info("resizing is not compiled: %s", reason)


_LOADING = _Loading()


def preload() -> None:
    """Load the compiled loops at once: for who measures what one of many images costs."""
    _LOADING.load()


def _is_as_pillow(loops: _Loops) -> bool:
    """Whether they give the installed Pillow's bits, of noise that shrinks and that grows."""
    noise = np.random.default_rng(0).integers(0, 256, (150, 190, 3), np.uint8)
    image = Image.fromarray(noise)
    for width, height in (64, 50), (70, 149), (256, 201):
        across = Axis.of(image.width, width, width, "even")
        down = Axis.of(image.height, height, height, "even")
        for interpolation in _SUPPORT:
            theirs = image.resize((width, height), Image.Resampling[interpolation.upper()])
            ours = _apply(loops, image, across, down, interpolation)
            if ours is None or not np.array_equal(ours, np.asarray(theirs)):
                return False
    return True

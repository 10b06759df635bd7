"""The compiled resize, which is loaded while Pillow's goes on, once it pays."""

from __future__ import annotations

import logging
import os
from threading import Lock, Thread
from typing import TYPE_CHECKING

import nanoarrow
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL import __version__ as pillow_version

from penult.extras import is_installed
from penult.images.pixels.axis import Axis, is_across_first
from penult.images.pixels.compiled_resize.weights import AT_ONCE, FILTERS, weights
from penult.machine import free_memory

if TYPE_CHECKING:
    from penult.images.pixels.compiled_resize.kernels import Kernels

__all__ = ["CompiledResize", "preload"]

_log = logging.getLogger("penult")

# Loading takes 0.07 s of CPU; an image then takes 2 ms less.
_WORTH_LOADING = 32
_ROOM = 1 << 29  # bytes; 80 MB are kept, and addresses of 170 taken
_PATIENCE = 1.0  # seconds

# Of longer edges, the weights take longer than Pillow takes for a narrow image.
_LONGEST = 1 << 14

# Before Pillow 13, to hand out memory that an image only borrows, as one from simplejpeg does, ends
# the process (python-pillow/Pillow, issue 9896).
_CRASHES_ON_BORROWED = int(pillow_version.partition(".")[0]) < 13


class CompiledResize:
    """Resize and crop by one filter, to Pillow's bits; safe to call from any thread.

    Of all that a process resizes, the first few dozen images are left to Pillow, so that no short
    command waits for a compiler. Which of the two it was cannot be seen in a pixel: before what was
    compiled is used, it is compared with the Pillow that is installed.

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
            self._interpolation not in FILTERS
            or image.size == resized
            or max(image.size) > _LONGEST
            or not is_across_first(image.size, resized)
        ):
            return None
        kernels = _LOADING.kernels()
        return (
            None if kernels is None else _apply(kernels, image, across, down, self._interpolation)
        )


def _apply(
    kernels: Kernels, image: Image.Image, across: Axis, down: Axis, interpolation: str
) -> NDArray[np.uint8] | None:
    if _CRASHES_ON_BORROWED:
        image = image.copy()
    try:
        # Pillow's own memory, four bytes a pixel; nothing is copied.
        held = nanoarrow.c_array(image).view().child(0).buffer(1)
    except ValueError:  # it lies in several pieces, as large images may
        return None
    columns = weights(across, interpolation, AT_ONCE)
    if across.count < AT_ONCE or columns[1].shape[1] % AT_ONCE:
        return None  # smaller than what is read at a time
    pixels = np.frombuffer(held, np.uint32).reshape(image.height, image.width)
    out = np.empty((down.count, across.count, 3), np.uint8)
    kernels.resize(pixels, columns, weights(down, interpolation), out)
    return out


class _Loading:
    """The kernels, compiled in a thread of their own after so many images of this process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._seen = 0
        self._thread: Thread | None = None
        self._kernels: Kernels | None = None

    def kernels(self) -> Kernels | None:
        """Count an image, and give the kernels once they are there."""
        if self._kernels is None:
            with self._lock:
                self._seen += 1
                is_due = self._seen == _WORTH_LOADING
            if is_due:
                self._load_meanwhile()
        return self._kernels

    def _load_meanwhile(self) -> None:
        try:
            thread = Thread(target=self.load, name="penult-compiled-resize")
            thread.start()
        except RuntimeError as error:  # more threads are not allowed
            _tell_why_not(error)
        else:
            self._thread = thread

    def wait(self) -> None:
        """Wait for loading that has begun.

        A process that is forked meanwhile would never have the end of it, nor the locks of imports.
        """
        if self._thread is not None:
            self._thread.join(_PATIENCE)

    def load(self) -> None:
        """Compile the kernels, and take them if they do as Pillow does."""
        if not is_installed("llvmlite"):
            return
        if free_memory() < _ROOM:
            # LLVM ends the process where it gets none.
            _tell_why_not("there is too little memory")
            return
        try:
            from penult.images.pixels.compiled_resize.kernels import Kernels

            kernels = Kernels()
            is_right = _is_as_pillow(kernels)
        except Exception as error:  # a processor that LLVM does not know, for one
            _tell_why_not(error)
            return
        if not is_right:
            _tell_why_not(f"Pillow {pillow_version} resizes otherwise")
            return
        self._kernels = kernels
        _log.info("penult: resizing is compiled from now on")


def _tell_why_not(reason: object) -> None:
    _log.info("penult: resizing is not compiled: %s", reason)


_LOADING = _Loading()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=lambda: _LOADING.wait())


def preload() -> None:
    """Compile the kernels at once: for who measures what one of many images costs."""
    _LOADING.load()


def _is_as_pillow(kernels: Kernels) -> bool:
    """Whether they give the installed Pillow's bits, of noise that shrinks and that grows."""
    noise = np.random.default_rng(0).integers(0, 256, (150, 190, 3), np.uint8)
    image = Image.fromarray(noise)
    for width, height in (64, 50), (70, 149), (256, 201):
        across = Axis.of(image.width, width, width, "even")
        down = Axis.of(image.height, height, height, "even")
        for interpolation in FILTERS:
            theirs = image.resize((width, height), Image.Resampling[interpolation.upper()])
            ours = _apply(kernels, image, across, down, interpolation)
            if ours is None or not np.array_equal(ours, np.asarray(theirs)):
                return False
    return True

"""How much may be decoded at once: ordinary photos all side by side, huge ones in turn."""

from __future__ import annotations

import ctypes
import os
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from threading import Condition

from PIL import Image

from penult.machine import cores

__all__ = ["DECODING", "Budget", "weight"]

# Measured at the peak, from the decoder's own buffers to upright RGB: progressive CMYK; 32 bits
# for each of four components; and WebP.
_BYTES_A_PIXEL = {"JPEG": 12, "MPO": 12, "JPEG2000": 32}
_OTHERS = 16

# Of these there may be as many as there are threads; they need not queue.
_SMALL = 2**24  # bytes


class Budget:
    """So many bytes for all threads together. Whoever comes first is served first.

    Parameters
    ----------
    size : bytes. What is larger by itself waits until everything else is done, and has it all
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.held = 0
        self._queue: deque[object] = deque()
        self._change = Condition()
        self._turn: AbstractContextManager[object] = nullcontext()

    def divide(self, size: int, turn: AbstractContextManager[object]) -> None:
        """Have only so many bytes; other processes have the rest.

        Parameters
        ----------
        size : bytes
        turn : held while an image is decoded that takes more than that: a lock that all have
        """
        self.size, self._turn = size, turn

    @contextmanager
    def hold(self, weight: int) -> Iterator[None]:
        """Wait until `weight` bytes are free, and keep them. One thread holds once at a time."""
        if weight <= _SMALL:
            yield
            return
        weight = min(weight, self.size)
        ticket = object()
        with self._change:
            self._queue.append(ticket)
            try:
                self._change.wait_for(
                    lambda: self._queue[0] is ticket and self.held + weight <= self.size
                )
                self.held += weight
            finally:
                self._queue.remove(ticket)
                self._change.notify_all()
        try:
            if weight < self.size:
                yield
                return
            with self._turn:
                _trim_heap()
                yield
        finally:
            with self._change:
                self.held -= weight
                self._change.notify_all()

    def reset(self) -> None:
        """Forget the threads of the parent process, which a forked child does not have."""
        self.held = 0
        self._queue = deque()
        self._change = Condition()


def weight(image: Image.Image) -> int:
    """How many bytes decoding an opened image takes, at most, by what its header announces."""
    width, height = image.size
    return width * height * _BYTES_A_PIXEL.get(image.format or "", _OTHERS)


def _trim_heap() -> None:
    """Give back to the system what other threads have freed, which glibc keeps for each of them.

    Two of them with an image of 700 MB each would otherwise take twice that, one after the other.
    """
    with suppress(AttributeError, OSError, TypeError):  # another C library, without such a call
        ctypes.CDLL(None).malloc_trim(0)


# Of photos, 22 megapixels on every core.
DECODING = Budget(2**28 * max(4, cores()))
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=DECODING.reset)

"""How many images at once: numbers that are prepared for, and as many as fit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from penult.errors import EngineError
from penult.interface import option

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["OFTEN", "PreparedSizes", "in_batches"]

OFTEN = 3
"""A number of images that was filled up so often is prepared for."""


class PreparedSizes:
    """For which numbers of images a device has kernels ready: each new one takes it time.

    The last, smaller batch of a run is filled up to one that is ready, which costs a hundredth of a
    second; a program that asks for single images again and again gets a size for them.

    Parameters
    ----------
    most : int
        What few images are filled up to at most.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._ready: set[int] = set()
        self._filled_up = Counter[int]()
        self._lock = Lock()

    def to_run(self, images: int) -> int:
        """In which size to run so many images; what is missing is filled up."""
        own = max(images, min(1 << (images - 1).bit_length(), self._most))
        with self._lock:
            size = min((size for size in self._ready if size >= images), default=None)
            if size is None or (size > own and self._filled_up[own] >= OFTEN):
                size = own
                self._ready.add(own)
            elif size > own:
                self._filled_up[own] += 1
            return size

    def drop(self, size: int) -> None:
        """Fill up to this size, or a larger one, no more: it did not fit."""
        with self._lock:
            self._ready = {ready for ready in self._ready if ready < size}
            self._most = min(self._most, max(1, size // 2))


def in_batches(
    run: Callable[[NDArray[np.uint8]], list[NDArray[np.float32]]],
    images: NDArray[np.uint8],
    most: int,
    out_of_memory: type[Exception],
) -> tuple[list[NDArray[np.float32]], int]:
    """Run all images, in smaller batches where the memory does not suffice.

    Parameters
    ----------
    run : as `Engine.run`
    images : uint8 (N, H, W, 3)
    most : images at once
    out_of_memory : what `run` raises where the memory does not suffice

    Returns
    -------
    The rows of all, and how many images at once they took in the end.

    Raises
    ------
    EngineError
        If not even one image fits.
    """
    parts: list[list[NDArray[np.float32]]] = []
    start = 0
    while start < len(images):
        part = images[start : start + most]
        try:
            parts.append(run(part))
        except out_of_memory as error:
            if len(part) == 1:
                raise EngineError(
                    "not even one image at a time fits into the memory of the device; close what "
                    f"else uses it, or give {option('device', 'cpu')}"
                ) from error
            most = (len(part) + 1) // 2
            continue
        start += len(part)
    if len(parts) == 1:
        return parts[0], most
    return [np.concatenate(rows) for rows in zip(*parts, strict=True)], most

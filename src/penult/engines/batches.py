"""How many images at once: as many as pay, and as many as fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from penult.errors import EngineError
from penult.interface import option

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["GAIN", "LARGEST", "best_batch", "in_batches"]

GAIN = 1.05
"""A batch twice as large has to be faster by this factor: it takes twice the memory."""

LARGEST = 512
"""No network gains beyond this, and so many images wait in memory twice over."""


def best_batch(rate: Callable[[int], float], *, start: int, most: int | None = None) -> int:
    """Find the smallest batch that runs about as fast as any, doubling as long as that pays.

    Parameters
    ----------
    rate : images a second with so many in a batch, 0 where they do not fit
    start : the first to be tried; where even that does not fit, it is halved until one does
    most : no more than this

    Returns
    -------
    1 at least, even where one image does not fit.
    """
    size, speed = start, rate(start)
    while speed == 0 and size > 1:
        size //= 2
        speed = rate(size)
        if speed:
            return size
    limit = min(LARGEST, most or LARGEST)
    while speed and 2 * size <= limit:
        larger = rate(2 * size)
        if larger < GAIN * speed:
            break
        size, speed = 2 * size, larger
    return size


def in_batches(
    run: Callable[[NDArray[np.uint8]], list[NDArray[np.float32]]],
    images: NDArray[np.uint8],
    most: int | None,
    out_of_memory: type[Exception],
) -> tuple[list[NDArray[np.float32]], int]:
    """Run all images, in smaller batches where the memory does not suffice.

    Parameters
    ----------
    run : as `Engine.run`
    images : uint8 (N, H, W, 3)
    most : images at once; None for all
    out_of_memory : what `run` raises where the memory does not suffice

    Returns
    -------
    The rows of all, and how many images at once they took in the end.

    Raises
    ------
    EngineError
        If not even one image fits.
    """
    most = min(most or len(images), len(images))
    parts: list[list[NDArray[np.float32]]] = []
    start = 0
    while start < len(images):
        try:
            part = run(images[start : start + most])
        except out_of_memory as error:
            if most == 1:
                raise EngineError(
                    "not even one image at a time fits into the memory of the device; close what "
                    f"else uses it, or give {option('device', 'cpu')}"
                ) from error
            most = (most + 1) // 2
            continue
        parts.append(part)
        start += most
    if len(parts) == 1:
        return parts[0], most
    return [np.concatenate(rows) for rows in zip(*parts, strict=True)], most

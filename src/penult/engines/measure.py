"""All rows of an engine, and how fast it gives them."""

from __future__ import annotations

import platform
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np

from penult.threads import NetworkThreads

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.engines.base import Engine

__all__ = ["Runs", "all_rows", "processor", "processor_name", "rate", "rates"]

ROUNDS = 3
SECONDS = 1.0

Images = TypeVar("Images", contravariant=True)


class Runs(Protocol[Images]):
    """What runs images in several threads at once: an `Engine`, or a `Composition` of some."""

    @property
    def concurrency(self) -> int:
        """How many threads may be inside `run` at once, and should be."""

    def run(self, images: Images, /) -> object:
        """Turn images into rows."""


def all_rows(engine: Engine, pixels: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
    """The rows of all images, an array a recipe."""
    size = engine.batch_size
    parts = [pixels[k : k + size] for k in range(0, len(pixels), size)]
    with NetworkThreads(engine.concurrency) as pool:
        return [np.concatenate(rows) for rows in zip(*pool.map(engine.run, parts), strict=True)]


def rates(engines: Sequence[Engine], pixels: NDArray[np.uint8]) -> list[float]:
    """Images a second of each, in turns: the median of some rounds."""
    found: list[list[float]] = [[] for _ in engines]
    for _ in range(ROUNDS):
        for engine, of_engine in zip(engines, found, strict=True):
            batch = pixels[: engine.batch_size]
            of_engine.append(rate(engine, batch, len(batch), SECONDS))
    return [median(of_engine) for of_engine in found]


def rate(maker: Runs[Images], batch: Images, images: int, seconds: float) -> float:
    """Images a second that as many threads get as it says it can use.

    Parameters
    ----------
    maker : Runs
        What runs them.
    batch : what it takes
        Run again and again, in each thread once at least.
    images : int
        How many it holds.
    seconds : float
        After which no thread begins anew.
    """
    start = time.perf_counter()

    def work(_thread: int) -> int:
        done = 0
        while True:  # at least one batch, however late a busy machine begins with it
            maker.run(batch)
            done += images
            if time.perf_counter() - start >= seconds:
                return done

    with NetworkThreads(maker.concurrency) as pool:
        done = sum(pool.map(work, range(maker.concurrency)))
    return done / (time.perf_counter() - start)


def processor(streams: int) -> str:
    """The processor's name, and how many images are worked on at the same time."""
    return f"{processor_name()}, {streams} streams"


def processor_name() -> str:
    """The processor's name, where the system tells it."""
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        lines = info.read_text(errors="replace").splitlines()
        models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
        name = next(filter(None, models), name)
    return name

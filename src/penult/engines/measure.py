"""All rows of an engine, and how fast it gives them."""

from __future__ import annotations

import platform
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from penult.threads import NetworkThreads

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.engines.base import Engine

__all__ = ["all_rows", "processor", "rates"]

ROUNDS = 3
SECONDS = 1.0


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
            of_engine.append(_rate(engine, pixels))
    return [median(of_engine) for of_engine in found]


def _rate(engine: Engine, pixels: NDArray[np.uint8]) -> float:
    batch = pixels[: engine.batch_size]
    start = time.perf_counter()

    def work(_thread: int) -> int:
        done = 0
        while True:  # at least one batch, however late a busy machine begins with it
            engine.run(batch)
            done += len(batch)
            if time.perf_counter() - start >= SECONDS:
                return done

    with NetworkThreads(engine.concurrency) as pool:
        done = sum(pool.map(work, range(engine.concurrency)))
    return done / (time.perf_counter() - start)


def processor(streams: int) -> str:
    """The processor's name, where the system tells it."""
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        lines = info.read_text(errors="replace").splitlines()
        models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
        name = next(filter(None, models), name)
    return f"{name}, {streams} streams"

"""How fast rows come: end to end, of the networks alone, and for one image."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median, quantiles
from typing import TYPE_CHECKING

from penult.engines.measure import rate
from penult.images.pixels.compiled_resize import preload
from penult.machine import cores

if TYPE_CHECKING:
    from penult.engines.composition import Composition
    from penult.engines.preprocessor import Pixels
    from penult.extractor import Extractor
    from penult.records import ImageRecord

__all__ = ["Rate", "end_to_end_rate", "network_rate", "one_image_seconds", "processor_rate"]

_MEGABYTE = 1_000_000

ROUNDS = 3
ROUND_SECONDS = 0.7
BULK_SECONDS = 2.5
ALONE_SECONDS = 1.0
PROCESSOR_SECONDS = 0.2
LEAST_TURNS, MOST_TURNS = 3, 8
LEAST_ALONE = 3
WARM_UP_ALONE = 5
"""The engine openvino prepares for one image at a time when it was asked three times for one."""


def network_rate(networks: Composition) -> float:
    """Images a second in bulk, from decoded and resized images to rows.

    Parameters
    ----------
    networks : Composition
        All of them: an image passes all networks, in all of its views.

    Returns
    -------
    float
        The median of three rounds after one to warm up; of slow networks, of fewer.
    """
    batch = _images(networks, networks.batch_size)
    rate(networks, batch, len(batch), 0)
    found: list[float] = []
    start = time.perf_counter()
    while len(found) < ROUNDS and time.perf_counter() - start < ROUNDS * ROUND_SECONDS:
        found.append(rate(networks, batch, len(batch), ROUND_SECONDS))
    return median(found)


def one_image_seconds(networks: Composition) -> float:
    """Seconds from one decoded and resized image to its row, nothing else being run.

    Returns
    -------
    float
        The median of as many as go into a second, at least three.
    """
    image = _images(networks, 1)
    for _ in range(WARM_UP_ALONE):
        networks.run(image)
    taken: list[float] = []
    while sum(taken) < ALONE_SECONDS or len(taken) < LEAST_ALONE:
        start = time.perf_counter()
        networks.run(image)
        taken.append(time.perf_counter() - start)
    return median(taken)


@dataclass(frozen=True)
class Rate:
    """Images a second.

    Attributes
    ----------
    mean : float
        Over all of the time.
    low, high : float or None
        Quartiles over short turns; None where there were too few.
    """

    mean: float
    low: float | None = None
    high: float | None = None


def processor_rate() -> float:
    """Megabytes a second that are hashed by as many threads as this process may use.

    It is the same work for every network: where it is slower than at the time of another, the
    machine had more to do meanwhile.
    """
    return rate(_Hashing(cores()), bytes(_MEGABYTE), 1, PROCESSOR_SECONDS)


@dataclass(frozen=True)
class _Hashing:
    """Work for all threads, which does nothing but compute."""

    concurrency: int

    def run(self, data: bytes, /) -> bytes:
        return hashlib.blake2b(data).digest()


def end_to_end_rate(
    extractor: Extractor,
    images: Sequence[ImageRecord],
    network_rate: float,
    *,
    readers: int | None = None,
) -> Rate | None:
    """Images a second from files to rows, by the pipeline of every extraction.

    The images are given again and again for some seconds, so that their files are in the cache of
    the operating system: a disk is not measured.

    Parameters
    ----------
    extractor : Extractor
        Opened, and warmed up.
    images : sequence of ImageRecord
        A sample.
    network_rate : float
        What `network_rate` found: of slow networks, fewer images are given.
    readers : int, optional
        As for `Extractor.blocks`.

    Returns
    -------
    Rate or None
        Of images that have a row; None where none has.
    """
    if not images:
        return None
    networks = extractor.engine
    least = networks.batch_size * networks.concurrency  # all threads have something to do
    most = max(least, round(network_rate * BULK_SECONDS))
    preload()
    # Whatever is done for the first image alone is done; and the files are read.
    if not any(block.good for block in extractor.blocks(images, stop_on_error=False)):
        return None
    start = time.perf_counter()
    endless = _again_and_again(images, least, most, start + BULK_SECONDS)
    done, ends = [0], [start]
    for block in extractor.blocks(endless, readers=readers, stop_on_error=False):
        done.append(done[-1] + len(block.good))
        ends.append(time.perf_counter())
    mean = done[-1] / (time.perf_counter() - start)
    return Rate(mean, *_quartiles(done, ends, 2 * networks.concurrency))


def _quartiles(
    done: Sequence[int], ends: Sequence[float], least: int
) -> tuple[float, float] | tuple[()]:
    """Quartiles of the rate over turns of so many blocks at least, which come in bursts."""
    turns = min(MOST_TURNS, (len(done) - 1) // least)
    if turns < LEAST_TURNS:
        return ()
    places = [round(k * (len(done) - 1) / turns) for k in range(turns + 1)]
    found = [
        (done[b] - done[a]) / (ends[b] - ends[a]) for a, b in pairwise(places) if ends[b] > ends[a]
    ]
    low, _, high = quantiles(found, n=4, method="inclusive")
    return low, high


def _again_and_again(
    images: Sequence[ImageRecord], least: int, most: int, until: float
) -> Iterator[ImageRecord]:
    given = 0
    while given < most and (given < least or time.perf_counter() < until):
        yield images[given % len(images)]
        given += 1


def _images(networks: Composition, number: int) -> list[Pixels]:
    import numpy as np
    from PIL import Image

    noise = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)
    return [networks.preprocessor(Image.fromarray(noise))] * number

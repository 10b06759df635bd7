"""What one way of making the rows takes on given machines."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from penult.capacity.rates import Measured
from penult.capacity.request import MOST_MACHINES, Request
from penult.capacity.way import Way

__all__ = ["PART_SECONDS", "PlannedWay", "machines_needed", "planned"]

PART_SECONDS = 120.0
"""A part takes a worker no longer; and more than half of it, where there are enough images."""

_PARTS_A_WORKER = 4
"""At least so many, as far as there are images, so that workers are done at about the same time."""


@dataclass(frozen=True, kw_only=True)
class PlannedWay:
    """What it takes to make the rows in one way.

    Attributes
    ----------
    precision, resize, decode : str
        Options of the extraction.
    reading_ms, network_ms : float
        Milliseconds an image takes one core (of a GPU's network: the GPU), alone.
    machines : int
        How many.
    workers : int
        Processes in all: one a core, or one a GPU.
    images_per_second : float
        Of one machine.
    part_images, parts : int
        Images a part, and how many parts.
    part_seconds : float
        Time that a worker takes for a part.
    seconds : float
        From the start to the last row.
    core_hours : float
        Of all machines, whether busy or not.
    cost : float or None
        By the price that was given.
    """

    precision: str
    resize: str
    decode: str
    reading_ms: float
    network_ms: float
    machines: int
    workers: int
    images_per_second: float
    part_images: int
    parts: int
    part_seconds: float
    seconds: float
    core_hours: float
    cost: float | None

    @property
    def way(self) -> Way:
        """Its options."""
        return Way(self.precision, self.resize, self.decode)  # type: ignore[arg-type]


def planned(request: Request, rates: Measured, way: Way, machines: int) -> PlannedWay:
    """Compute what a way takes.

    On one machine without Ray, threads share one process: images / rate, and the start. On several,
    each worker does a whole part after the other, so that the last ones decide:
    ⌈parts / workers⌉ times a part's time, and the start.

    Parameters
    ----------
    request : Request
    rates : Measured
    way : Way
        One that was measured.
    machines : int
        How many there are.
    """
    per_machine = rates.images_per_second(way, cores=request.cores, gpus=request.gpus)
    at_once = request.gpus if rates.on_gpu else request.cores
    workers = machines * at_once
    a_worker = per_machine / at_once
    part_images = _part_images(request.images, workers, a_worker)
    parts = ceil(request.images / part_images)
    part_seconds = min(part_images, request.images) / a_worker
    if machines == 1:
        working = request.images / per_machine
    else:
        working = ceil(parts / workers) * part_seconds
    seconds = rates.start_seconds + working
    price = request.price_per_hour
    return PlannedWay(
        **vars(way),
        reading_ms=rates.reading_ms[way.reading],
        network_ms=rates.network_ms[way.precision],
        machines=machines,
        workers=workers,
        images_per_second=per_machine,
        part_images=part_images,
        parts=parts,
        part_seconds=part_seconds,
        seconds=seconds,
        core_hours=machines * request.cores * seconds / 3600,
        cost=None if price is None else price * machines * seconds / 3600,
    )


def machines_needed(request: Request, rates: Measured, way: Way) -> int | None:
    """The fewest machines that meet the deadline, to 2%; None where 100,000 do not."""
    assert request.deadline is not None
    left = request.deadline - rates.start_seconds
    if left <= 0:
        return None
    per_machine = rates.images_per_second(way, cores=request.cores, gpus=request.gpus)
    machines = max(1, ceil(request.images / (per_machine * left)))
    while machines <= MOST_MACHINES:
        if planned(request, rates, way, machines).seconds <= request.deadline:
            return machines
        machines += max(1, machines // 50)  # whole parts may need a few more
    return None


def _part_images(images: int, workers: int, a_second: float) -> int:
    """A power of two: the largest that is done in time, and leaves each worker some parts."""
    most = min(a_second * PART_SECONDS, images / (_PARTS_A_WORKER * workers))
    return 1 << max(0, int(most).bit_length() - 1)

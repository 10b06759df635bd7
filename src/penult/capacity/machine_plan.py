"""The plan of a large extraction: what each way takes, and which is recommended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from penult.capacity.planned_way import PlannedWay, machines_needed, planned
from penult.capacity.rates import Measured
from penult.capacity.request import MOST_MACHINES, Request
from penult.capacity.way import DEFAULT_WAY, Way
from penult.capacity.words import duration, large, size
from penult.errors import UsageError
from penult.interface import at_command_line, command, option
from penult.representation import html_table, one_line
from penult.wording import count, percent

__all__ = ["MachinePlan", "PlannedStorage", "plan_of"]

_GAIN = 1.1
_GAIN_OF_SCALED = 1.3
"""How many times as fast an option has to make a run to be recommended: scaled decoding changes
rows most."""

_FLOAT16_FROM = 100e9
"""Bytes of float32 rows from which float16 is recommended."""

_ONE_FILE_TO = 1e12
"""Bytes up to which rows are planned in one file, as ``penult reduce`` writes them."""

_SHORT = 256
"""Numbers of a row that ``penult reduce`` leaves by default."""

_FOLDER_FROM = 10_000_000
"""Images from which a folder of rows is recommended on one machine, too."""


@dataclass(frozen=True, kw_only=True)
class PlannedStorage:
    """What rows take on disk.

    Attributes
    ----------
    rows : str
        How they are stored: the option to give, or the command that shortens them.
    row_bytes : int
        Bytes of a row alone.
    bytes : int
        Of all, with ids, labels and digests.
    """

    rows: str
    row_bytes: int
    bytes: int


@dataclass(frozen=True, kw_only=True)
class MachinePlan:
    """What a large extraction takes on given machines.

    Attributes
    ----------
    images : int
        How many.
    machines : int
        How many; those that the recommended way needs, where a deadline was given in their place.
    cores, gpus : int
        Of each machine.
    ways : tuple of PlannedWay
        The default, each option alone, and what is recommended.
    recommended : PlannedWay
        One of them.
    dtype : {"float32", "float16"}
        Recommended for the rows.
    storage : tuple of PlannedStorage
        Rows in float32 and float16, and shortened.
    read_bytes : int
        Bytes of all images together.
    read_rate : float
        Bytes a second that each machine has to read.
    listing_bytes : int
        Memory of the listing: on the machine that drives the run, and once on each machine.
    worker_bytes : int
        Memory of a worker: the network, and the rows of a part.
    machine_bytes : int
        Memory of a machine: all of its workers, and the listing.
    measured : Measured
        The rates that all of it is computed from.
    assumptions : tuple of str
        What has to hold for it.
    command : str
        What to type.
    """

    images: int
    machines: int
    cores: int
    gpus: int
    ways: tuple[PlannedWay, ...]
    recommended: PlannedWay
    dtype: str
    storage: tuple[PlannedStorage, ...]
    read_bytes: int
    read_rate: float
    listing_bytes: int
    worker_bytes: int
    machine_bytes: int
    measured: Measured
    assumptions: tuple[str, ...]
    command: str

    def __repr__(self) -> str:
        best = self.recommended
        facts = [
            ("images", count(self.images, "image")),
            ("machines", count(self.machines, "machine")),
            ("cores", count(self.cores, "core")),
            ("seconds", duration(best.seconds)),
            ("way", best.way.described),
            ("storage", size(next(one.bytes for one in self.storage if self.dtype in one.rows))),
        ]
        return one_line("MachinePlan", facts)

    def _repr_html_(self) -> str:
        header = ("way", "ms an image", "machines", "time", "core-hours")
        rows = [
            (
                one.way.described,
                large(one.reading_ms + one.network_ms),
                f"{one.machines:,}",
                duration(one.seconds),
                large(one.core_hours),
            )
            for one in self.ways
        ]
        facts = [("images", f"{self.images:,}"), ("type", self.command)]
        return html_table("MachinePlan", facts, [header, *rows])

    def to_dict(self) -> dict[str, Any]:
        """Write it as what JSON can hold.

        Returns
        -------
        dict
            Its attributes, by their names.
        """
        told = asdict(self)
        told["measured"]["reading_ms"] = [
            {"resize": resize, "decode": decode, "ms": ms}
            for (resize, decode), ms in self.measured.reading_ms.items()
        ]
        return told


def plan_of(
    request: Request, rates: Measured, *, models: Sequence[str], layers: Sequence[str]
) -> MachinePlan:
    """Compute a plan.

    Parameters
    ----------
    request : Request
    rates : Measured
    models, layers : sequence of str
        As the command to type names them.

    Raises
    ------
    UsageError
        If the deadline cannot be met; says with what it could.
    """
    best = _recommended(request, rates)
    if request.deadline is not None:
        _require_in_time(request, rates, best)
    ways = tuple(
        planned(request, rates, way, _machines(request, rates, way) or 1)
        for way in dict.fromkeys([*rates.ways, best])
        if _machines(request, rates, way) is not None
    )
    chosen = next(one for one in ways if one.way == best)
    row_bytes = 4 * rates.row_length
    dtype = "float16" if request.images * row_bytes > _FLOAT16_FROM else "float32"
    listing = round(request.images * rates.listing_bytes)
    worker = rates.worker_bytes + chosen.part_images * row_bytes
    workers = chosen.workers // chosen.machines
    if chosen.machines == 1:  # one process
        worker, workers = rates.worker_bytes, 1
    plan = MachinePlan(
        images=request.images,
        machines=chosen.machines,
        cores=request.cores,
        gpus=request.gpus,
        ways=ways,
        recommended=chosen,
        dtype=dtype,
        storage=tuple(_storage(request, rates)),
        read_bytes=round(request.images * rates.sample.photo_bytes),
        read_rate=rates.sample.photo_bytes * chosen.images_per_second,
        listing_bytes=listing,
        worker_bytes=worker,
        machine_bytes=workers * worker + listing,
        measured=rates,
        assumptions=(),
        command="",
    )
    return replace(
        plan,
        command=_command(plan, models, layers),
        assumptions=tuple(_assumptions(plan, request.memory)),
    )


def _machines(request: Request, rates: Measured, way: Way) -> int | None:
    if request.machines is not None:
        return request.machines
    return 1 if request.deadline is None else machines_needed(request, rates, way)


def _recommended(request: Request, rates: Measured) -> Way:
    """The default, and each option that makes it enough faster beside those taken before."""
    best, speed = DEFAULT_WAY, _speed(request, rates, DEFAULT_WAY)
    for options, gain in (
        ({"precision": "bfloat16"}, _GAIN),
        ({"resize": "fast"}, _GAIN),
        ({"decode": "scaled"}, _GAIN_OF_SCALED),
    ):
        way = replace(best, **options)  # type: ignore[arg-type]
        known = way.precision in rates.network_ms and way.reading in rates.reading_ms
        if known and (faster := _speed(request, rates, way)) >= gain * speed:
            best, speed = way, faster
    return best


def _speed(request: Request, rates: Measured, way: Way) -> float:
    return rates.images_per_second(way, cores=request.cores, gpus=request.gpus)


def _require_in_time(request: Request, rates: Measured, best: Way) -> None:
    assert request.deadline is not None
    asked = duration(request.deadline)
    needed = machines_needed(request, rates, best)
    if request.machines is None:
        if needed is None:
            raise UsageError(
                f"{MOST_MACHINES:,} machines are not done in {asked}: a worker takes "
                f"{duration(rates.start_seconds)} to open the network, and an image "
                f"{large(1000 * request.cores / _speed(request, rates, best))} ms; give a later "
                f"{option('deadline')}"
            )
        return
    takes = planned(request, rates, best, request.machines).seconds
    if takes > request.deadline:
        faster = "" if needed is None else f"{count(needed, 'machine')} would do, or "
        raise UsageError(
            f"{count(request.machines, 'machine')} of {count(request.cores, 'core')} "
            f"{'takes' if request.machines == 1 else 'take'} {duration(takes)} for "
            f"{count(request.images, 'image')}, even with what is fastest here ({best.described}), "
            f"and {asked} was asked for; {faster}a {option('deadline')} of "
            f"{_hours(takes)}"
        )


def _hours(seconds: float) -> str:
    """As ``deadline`` takes it, rounded up."""
    for unit, letter in ((3600, "h"), (60, "m"), (1, "s")):
        if seconds >= unit:
            return f"{int(seconds / unit) + 1}{letter}"
    return "1s"


def _storage(request: Request, rates: Measured) -> list[PlannedStorage]:
    def of(rows: str, row_bytes: int) -> PlannedStorage:
        beside = request.images * rates.beside_bytes + rates.fixed_bytes
        return PlannedStorage(
            rows=rows, row_bytes=row_bytes, bytes=round(request.images * row_bytes + beside)
        )

    length = rates.row_length
    found = [of(option("dtype", "float32"), 4 * length), of(option("dtype", "float16"), 2 * length)]
    if length > _SHORT:
        shorter = command("reduce", "ROWS", pca=_SHORT)
        one_file = of(f"float16, then {shorter}, one .h5", 2 * _SHORT)
        if one_file.bytes <= _ONE_FILE_TO:
            found.append(one_file)
    return found


def _command(plan: MachinePlan, models: Sequence[str], layers: Sequence[str]) -> str:
    best, options = plan.recommended, dict[str, Any]()
    # What may be given several times.
    given = {"model": models}
    in_parts = plan.machines > 1 or plan.images >= _FOLDER_FROM
    options["output"] = "photos.rows" if in_parts else "photos.h5"
    if plan.machines > 1:  # where all of them reach it
        options["output"] = "s3://BUCKET/photos.rows"
    if list(layers) != ["penultimate"]:
        given["layer"] = layers
    options |= best.way.options
    if plan.dtype != "float32":
        options["dtype"] = plan.dtype
    if plan.measured.on_gpu:
        options["device"] = "cuda"
    if plan.machines > 1:
        options |= {"ray": "auto", "ray_workers": best.workers}
        if plan.measured.on_gpu:
            options |= {"ray_gpus": 1, "ray_cpus": plan.cores // plan.gpus}
    if in_parts:
        options["part_images"] = best.part_images
    if not at_command_line():
        several = {name: one[0] if len(one) == 1 else list(one) for name, one in given.items()}
        return command("extract", "IMAGES", **several, **options)
    each = [option(name, one) for name, several in given.items() for one in several]
    return " ".join([command("extract", "IMAGES", **options), *each])


def _assumptions(plan: MachinePlan, memory: int | None) -> list[str]:
    rates, sample, best = plan.measured, plan.measured.sample, plan.recommended
    photos = (
        f"photos are like those of {sample.name}: {sample.photo_bytes / 1e3:,.0f} kB, "
        f"{sample.megapixels:,.2g} megapixels; {count(sample.photos, 'photo')} measured"
    )
    if sample.failed:
        photos += f", {sample.failed:,} more could not be read"
    if rates.error:
        photos += f", which makes times uncertain by ± {percent(2 * rates.error)}"
    if sample.synthetic:
        photos += f"; give {option('sample', 'FOLDER')} with photos of yours"
    found = [photos, f"ids are as long as there: {sample.id_bytes:,.0f} bytes"]
    where = f"each machine's cores are like one of this machine ({rates.processor})"
    found.append(where + (", and its GPUs like this one's" if rates.on_gpu else ""))
    are, would = ("read", "would") if rates.on_gpu else ("were", "would be")
    as_fast = f"{percent(rates.efficiency, 0)} as fast as each alone {would}"
    all_cores = f"{count(rates.cores, 'core')} together {are} {as_fast}"
    if plan.cores != rates.cores:
        all_cores += f"; that {plan.cores:,} lose no more was not measured"
    if rates.efficiency < 1 or not rates.on_gpu:
        found.append(all_cores)
    if rates.others > 0.1 * rates.cores:
        found.append(
            f"other processes took {large(rates.others)} of {count(rates.cores, 'core')} "
            "meanwhile, so that this was found from CPU time; measure on an idle machine to be sure"
        )
    found.append(
        f"storage gives each machine {size(plan.read_rate)} a second, "
        f"{size(plan.machines * plan.read_rate)} in all"
    )
    if plan.machines > 1:
        fast = " and penult[fast]" if best.resize == "fast" else ""
        found.append(f"all machines have the same penult, with penult[ray]{fast}")
        found.append("all reach the images and the output, such as a bucket, under one name")
        found.append(
            "machines do not slow each other down; Ray's own start and memory, the listing of the "
            "images and failed machines are not counted"
        )
    else:
        found.append("the listing of the images is not counted")
    if memory is None and plan.machines == 1 and plan.cores == rates.cores:
        memory = rates.machine_memory  # it is this one that is planned
    if memory is None:
        found.append(
            f"each machine has {size(plan.machine_bytes)} of memory for it; {option('memory')} "
            "says into how many runs to divide it where they have less"
        )
    elif plan.machine_bytes > memory:
        found.append(_too_little_memory(plan, memory))
    if best.part_seconds < 30 and plan.machines > 1:
        found.append(
            f"a part takes {duration(best.part_seconds)} only, as there are few images for "
            f"{count(best.workers, 'worker')}"
        )
    found += [f"{name} is left out: {why}" for name, why in rates.unavailable.items()]
    return found


def _too_little_memory(plan: MachinePlan, memory: int) -> str:
    told = f"each machine needs {size(plan.machine_bytes)} of memory, and has {size(memory)}"
    for_listing = memory - (plan.machine_bytes - plan.listing_bytes)
    if for_listing <= 0:
        return told
    runs = -(-plan.listing_bytes // for_listing)
    return f"{told}; with that, extract in {count(runs, 'run')}, each of some of the folders"

"""Rates of this machine: photos decoded and resized, the network, and all cores together."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from math import prod, sqrt
from statistics import fmean, stdev
from typing import TYPE_CHECKING

import psutil

from penult.capacity.rates import Measured, SampleFacts
from penult.capacity.storage import bytes_beside_rows, bytes_of_listing
from penult.capacity.way import DEFAULT_WAY, Way
from penult.engines.measure import processor_name, rate
from penult.engines.pipeline import run
from penult.engines.preprocessor import Preprocessor
from penult.errors import ImageError, MissingExtraError, PenultError, SourceError, UsageError
from penult.extractor import ExtractorSpec, ModelRows
from penult.images.pixels.compiled_resize import preload
from penult.images.read import read_image
from penult.machine import cores
from penult.messages import first_line
from penult.progress import ShowProgress, following
from penult.records import Progress
from penult.wording import count

if TYPE_CHECKING:
    from penult.capacity.sample import Photos
    from penult.engines.composition import Composition
    from penult.engines.preprocessor import Pixels
    from penult.recipe import Recipe
    from penult.records import ImageRecord

__all__ = ["Together", "measure_rates"]

_STEPS = 9
"""Into so many parts the time is divided: one a reading and a precision, two for all cores, and one
for getting the photos."""


_BUSY = 0.8
"""A GPU that runs for more of the time than this is what the cores wait for."""

_QUIET = 0.1
"""So much of the cores others may take before the clock says nothing of how fast all cores are."""


@dataclass(frozen=True)
class Together:
    """What all cores did with the whole way of the data.

    Attributes
    ----------
    images : int
        Images done.
    seconds : float
        By the clock.
    cpu : float
        Seconds of CPU that this process took.
    cores : int
        How many there were.
    others : float
        How many of them other processes took.
    """

    images: int
    seconds: float
    cpu: float
    cores: int
    others: float

    def efficiency(self, alone_ms: float) -> float:
        """Images a second relative to those of so many cores that each work alone.

        Where other processes took more than a tenth of the cores, the clock says nothing. CPU time
        is compared then: it grows where cores share caches and the way to memory, but what they
        wait for each other is not in it.

        Parameters
        ----------
        alone_ms : float
            Milliseconds of CPU an image on one core.
        """
        taken = self.cpu if self.others > _QUIET * self.cores else self.seconds * self.cores
        return min(1.0, self.images * alone_ms / 1000 / taken)

    def efficiency_beside_gpu(self, reading_ms: float, network_ms: float) -> float:
        """Images read a second relative to those of so many cores that each read alone.

        A GPU that was busy nearly all the time says nothing of how well the cores go together.

        Parameters
        ----------
        reading_ms : float
            Milliseconds of CPU an image on one core.
        network_ms : float
            Milliseconds of the GPU an image.
        """
        if self.images * network_ms / 1000 > _BUSY * self.seconds:
            return 1.0
        return self.efficiency(reading_ms)


def measure_rates(
    spec: ExtractorSpec, photos: Photos, *, seconds: float, progress: ShowProgress = None
) -> Measured:
    """Measure what an image takes here, for about so many seconds, and what a network needs.

    Times of one core are CPU time, so that other processes hardly count. What all cores do
    together is found by running the whole way of the data, and what others take meanwhile is left
    out of account.

    Parameters
    ----------
    spec : ExtractorSpec
        Of the default way; which others are measured is found out here.
    photos : Photos
        To measure with.
    seconds : float
        To measure for.
    progress : bool or callable, optional
        As for `penult.extract`.

    Returns
    -------
    Measured

    Raises
    ------
    SourceError
        If no photo of the sample can be read.
    UnknownNameError, UsageError, BackboneError, EngineError
        If the network cannot be had or run.
    """
    step = seconds / _STEPS
    steps = iter(range(1, 8))
    with following(progress) as tell:

        def begin(what: str) -> None:
            tell(Progress(next(steps), 7, 0, stage=f"measuring {what}", unit="rates", brief=True))

        begin("the photos")
        began = time.perf_counter()
        extractor = spec.open()
        engine = extractor.engine_for(None)
        _ = engine.row_shapes
        start_seconds = time.perf_counter() - began
        preload()
        read = _reader(extractor.recipes)

        def why_not(record: ImageRecord) -> str | None:
            made = _attempt(read, record)
            return made if isinstance(made, str) else None

        records, sizes, errors = photos.at_hand(step, why_not)
        reading, chosen, pixels, more = _read(extractor.recipes, records, step)
        errors += more
        if not chosen:
            none = f"no photo of {photos.name}"
            if len(errors) < len(photos.records):
                none = f"none of {count(len(errors), 'photo')} of {photos.name} that were tried"
            raise SourceError(f"{none} could be read: {errors[0]}")
        begin("the network")
        on_gpu = engine.engines[0].device != "cpu"
        network_ms = {"float32": _network_ms(engine, pixels, step, on_gpu=on_gpu)}
        worker_bytes = psutil.Process().memory_info().rss
        begin("all cores")
        alone = fmean(reading), network_ms["float32"]
        load = _together(engine, chosen, 2 * step)
        kept = load.efficiency_beside_gpu(*alone) if on_gpu else load.efficiency(sum(alone))
        reading_ms = {DEFAULT_WAY.reading: fmean(reading)}
        unavailable = dict[str, str]()
        for way in (Way(resize="fast"), Way(decode="scaled"), Way("float32", "fast", "scaled")):
            begin(way.described)
            try:
                recipes = _of(spec, way).open().recipes
                reading_ms[way.reading] = fmean(_read(recipes, chosen, step)[0])
            except (UsageError, MissingExtraError) as error:
                if len(way.options) == 1:
                    unavailable[way.described] = first_line(error)
        half = Way(precision="bfloat16")
        begin(half.described)
        try:
            engine_of_half = _of(spec, half).open().engine_for(None)
            network_ms["bfloat16"] = _network_ms(engine_of_half, pixels, step, on_gpu=on_gpu)
        except PenultError as error:
            unavailable[half.described] = first_line(error)
        beside, fixed = bytes_beside_rows(
            photos.records, extractor.recipes, engine.row_shapes, extractor.names
        )
        ids = [record.id for record in photos.records]
        return Measured(
            sample=SampleFacts(
                name=photos.name,
                synthetic=photos.synthetic,
                photos=len(chosen),
                failed=len(errors),
                photo_bytes=fmean(sizes),
                megapixels=fmean(map(_megapixels, chosen)),
                id_bytes=fmean(len(one.encode("utf-8", "backslashreplace")) for one in ids),
            ),
            reading_ms=reading_ms,
            network_ms=network_ms,
            error=_standard_error(reading) / (fmean(reading) + network_ms["float32"]),
            cores=load.cores,
            efficiency=kept,
            others=load.others,
            start_seconds=start_seconds,
            worker_bytes=worker_bytes,
            machine_memory=psutil.virtual_memory().total,
            row_length=sum(map(prod, engine.row_shapes)),
            beside_bytes=beside,
            fixed_bytes=fixed,
            listing_bytes=bytes_of_listing(ids),
            on_gpu=on_gpu,
            processor=processor_name(),
            unavailable=unavailable,
        )


def _of(spec: ExtractorSpec, way: Way) -> ExtractorSpec:
    assert isinstance(spec.rows, ModelRows)
    rows = replace(spec.rows, precision=way.precision, resize=way.resize, decode=way.decode)
    return replace(spec, rows=rows)


def _read(
    recipes: Sequence[Recipe], records: Sequence[ImageRecord], seconds: float
) -> tuple[list[float], list[ImageRecord], list[Pixels], list[str]]:
    """Milliseconds of CPU for each photo, as many as there is time for, two at least.

    With them the photos that could be read, the pixels of the first few, and why others could not.
    """
    read = _reader(recipes)
    for record in records[:2]:  # what is done once is not measured
        _attempt(read, record)
    times: list[float] = []
    good: list[ImageRecord] = []
    pixels: list[Pixels] = []
    errors: list[str] = []
    until = time.perf_counter() + seconds
    for record in records:
        if time.perf_counter() > until and len(good) > 1:
            break
        began = time.thread_time()
        made = _attempt(read, record)
        took = 1000 * (time.thread_time() - began)
        if isinstance(made, str):
            errors.append(made)
            continue
        times.append(took)
        good.append(record)
        if len(pixels) < 16:
            pixels.append(made)
    return times, good, pixels, errors


def _attempt(read: Callable[[ImageRecord], Pixels], record: ImageRecord) -> Pixels | str:
    try:
        return read(record)
    except ImageError as error:
        return f"{record.id}: {error}"


def _reader(recipes: Sequence[Recipe]) -> Callable[[ImageRecord], Pixels]:
    """What makes of a record that which the networks of some recipes see, as an extraction does."""
    preprocess = Preprocessor(recipes)

    def read(record: ImageRecord) -> Pixels:
        made, _ = read_image(
            record,
            lambda image, _, sizes: preprocess(image, None, sizes),
            at_least=preprocess.at_least,
        )
        return {seen: one for some in made for seen, one in some.items()}

    return read


def _network_ms(
    engine: Composition, pixels: Sequence[Pixels], seconds: float, *, on_gpu: bool
) -> float:
    """Milliseconds an image: of one core, or of the GPU."""
    batch = [pixels[k % len(pixels)] for k in range(engine.batch_size)]
    engine.run(batch)  # what is done once is not measured
    if on_gpu:
        return 1000 / rate(engine, batch, len(batch), seconds)
    until, done = time.perf_counter() + seconds, 0
    began = time.process_time()
    while not done or time.perf_counter() < until:
        engine.run(batch)
        done += len(batch)
    return 1000 * (time.process_time() - began) / done


def _together(engine: Composition, records: Sequence[ImageRecord], seconds: float) -> Together:
    """Run the whole way of the data on all cores."""

    def for_so_long() -> Iterator[ImageRecord]:
        until = time.perf_counter() + seconds
        for k, record in enumerate(cycle(records)):
            if k >= 4 * engine.batch_size and time.perf_counter() > until:
                return
            yield record

    own, busy, began = time.process_time(), _busy(), time.perf_counter()
    done = sum(len(block.outcomes) for block in run(for_so_long(), engine))
    took, used = time.perf_counter() - began, time.process_time() - own
    # In a container with a quota, what the machine does is not what is taken from this process.
    limited = cores() < (psutil.cpu_count() or 1)
    others = 0.0 if limited else max(0.0, (_busy() - busy - used) / took)
    return Together(done, took, used, cores(), others)


def _busy() -> float:
    """Seconds that all cores have worked since the machine was started."""
    spent = psutil.cpu_times()
    return float(sum(spent) - spent.idle - getattr(spent, "iowait", 0.0))


def _megapixels(record: ImageRecord) -> float:
    from PIL import Image

    with record.open() as file, Image.open(file) as image:
        return image.width * image.height / 1e6


def _standard_error(times: Sequence[float]) -> float:
    return stdev(times) / sqrt(len(times)) if len(times) > 1 else 0.0

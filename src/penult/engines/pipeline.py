"""Read, decode and run many images at once, and give the outcomes in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

from penult.engines.outcome import Outcome
from penult.errors import ImageError, UsageError
from penult.interface import option
from penult.machine import cores
from penult.records import AugmentedRecord, Failure, ImageRecord
from penult.threads import NetworkThreads

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.engines.base import Engine
    from penult.engines.composition import Composition
    from penult.engines.photo_decoder import Decoded
    from penult.engines.photo_readers import PhotoReaders
    from penult.engines.preprocessor import Pixels
    from penult.engines.reading import Photos, Reading
    from penult.recipe import AugmentedRecipe

    # Rows, and why some of them are no good.
    _Forwarded = tuple[tuple[NDArray[Any], ...], dict[int, str]]

__all__ = ["Block", "Outcome", "run"]

_TOGETHER = 8
"""So many views of a photo are made from one decoding, all in one thread. More would save little,
keep other threads from helping, and wait for the engine in memory."""


@dataclass(frozen=True)
class Block:
    """Consecutive outcomes, in the order of the records.

    Attributes
    ----------
    outcomes : one an image
    rows : one array a recipe, (n, …), all finite; row k belongs to the k-th good outcome; none
        where no outcome is good
    """

    outcomes: tuple[Outcome, ...]
    rows: tuple[NDArray[Any], ...]

    @property
    def good(self) -> list[Outcome]:
        """The outcomes that have a row, in the order of the rows."""
        return [o for o in self.outcomes if o.failure is None and not o.known]

    @property
    def failures(self) -> list[Failure]:
        """The outcomes that have none."""
        return [outcome.failure for outcome in self.outcomes if outcome.failure is not None]


def run(
    records: Iterable[ImageRecord],
    engine: Engine | Composition,
    *,
    batch_size: int | None = None,
    workers: int | None = None,
    waiters: int | None = None,
    total: int | None = None,
    stop_on_error: bool = False,
    max_pixels: int | None = None,
    allow_truncated: bool = False,
    dtype: Literal["float32", "float16"] = "float32",
    known: Callable[[str], bool] | None = None,
    augmented: AugmentedRecipe | None = None,
) -> Generator[Block, None, None]:
    """Run an engine over images, decoding ahead of it, with bounded memory.

    Threads, or on many cores processes, decode a bounded number of images ahead; the engine runs in
    threads of its own, as many as it says it can use. However many there are, the
    outcomes come in the order of the records, and a row never depends on what failed beside it.

    Parameters
    ----------
    batch_size : images a call of the engine; what suits the engine by default
    workers : how many threads or processes decode; what suits cores and photos by default
    waiters : so many threads if `workers` is None, and no processes: the images come from a network
    total : how many records there are; without it, only threads decode
    stop_on_error : raise at the first image that fails, in the order of the records
    max_pixels : larger images are failures, refused from their header; None for the default
    allow_truncated : take what there is of a truncated image
    dtype : of the rows; an image whose row it cannot hold is a failure, and so is one for which the
        network gives a NaN or an infinity
    known : whether the row of an image with this digest is known already, so that it is only read
    augmented : how augmented views are made, where some of the records are such; of views that come
        behind their photo, or behind each other, several are made from one decoding

    Raises
    ------
    ImageError
        Names the image, with `stop_on_error`.
    """
    from penult.engines.composition import Composition
    from penult.engines.finite import as_stored
    from penult.engines.photo_decoder import PhotoDecoder
    from penult.engines.photo_readers import PhotoReaders

    maker = engine if isinstance(engine, Composition) else Composition.of(engine)
    size = maker.batch_size if batch_size is None else batch_size
    for name, value in (("batch_size", size), ("workers", workers)):
        if value is not None and value < 1:
            raise UsageError(f"{option(name)} is {value}; give 1 or more")

    decode = PhotoDecoder(
        maker.preprocessor,
        max_pixels=max_pixels,
        allow_truncated=allow_truncated,
        known=known,
        augmented=augmented,
    )

    def forward(images: list[Pixels]) -> _Forwarded:
        return as_stored(maker.run(images), maker.recipes, dtype) if images else ((), {})

    readers = PhotoReaders(
        decode,
        workers or waiters,
        total if waiters is None else None,
        # Of views, there are several already.
        **({} if augmented is None else {"at_once": 1}),
    )
    runners = NetworkThreads(maker.concurrency)
    waiting: deque[tuple[list[Outcome], Future[_Forwarded]]] = deque()
    stopped = False
    try:
        photos = ([one] for one in records) if augmented is None else _photos(records)
        decoded = _ahead(readers, photos, size + 2 * (workers or waiters or cores()))
        while not stopped:
            outcomes: list[Outcome] = []
            images: list[Pixels] = []
            # A block ends with a full batch; bad images never make a batch smaller, except that
            # a folder of nothing but bad ones still reports its progress.
            for outcome, pixels in decoded:
                outcomes.append(outcome)
                if pixels is not None:
                    images.append(pixels)
                elif stop_on_error and outcome.failure is not None:
                    stopped = True  # but an earlier image may yet fail in the network
                    break
                if len(images) == size or len(outcomes) == 8 * size:
                    break
            if not outcomes:
                break
            waiting.append((outcomes, runners.submit(forward, images)))
            # One batch waits while each of the engine's threads has one in hand.
            while len(waiting) > maker.concurrency + 1 or (waiting and waiting[0][1].done()):
                yield _block(*waiting.popleft(), stop_on_error=stop_on_error)
        while waiting:
            yield _block(*waiting.popleft(), stop_on_error=stop_on_error)
    finally:
        readers.shutdown()
        runners.shutdown(wait=True, cancel_futures=True)


def _block(outcomes: list[Outcome], forwarded: Future[_Forwarded], *, stop_on_error: bool) -> Block:
    """Join outcomes with their rows, of which some may be no good."""
    import numpy as np

    rows, unfit = forwarded.result()
    with_row = [k for k, o in enumerate(outcomes) if o.failure is None and not o.known]
    for number, reason in unfit.items():
        record = outcomes[with_row[number]].record
        outcomes[with_row[number]] = Outcome(record, failure=Failure(record.id, reason))
    if unfit:
        left = len(with_row) > len(unfit)
        rows = tuple(np.delete(block, list(unfit), axis=0) for block in rows) if left else ()
    block = Block(tuple(outcomes), rows)
    if stop_on_error and block.failures:
        first = block.failures[0]
        raise ImageError(first.line)
    return block


def _photos(records: Iterable[ImageRecord]) -> Iterator[list[ImageRecord]]:
    """Group what is made of one photo, and comes one after the other; some at a time."""
    group, photo = list[ImageRecord](), ""
    for record in records:
        of = record.photo.id if isinstance(record, AugmentedRecord) else record.id
        if group and (of != photo or len(group) == _TOGETHER):
            yield group
            group = []
        group.append(record)
        photo = of
    if group:
        yield group


def _ahead(
    readers: PhotoReaders, photos: Iterable[Sequence[ImageRecord]], window: int
) -> Iterator[Decoded]:
    """Map over the photos, in order.

    At most `window` records ahead of the consumer, or as many tasks as keep all readers busy.
    """
    tasks: deque[tuple[Future[Reading], Photos, int]] = deque()
    ahead, left = 0, iter(photos)
    while some := list(islice(left, readers.at_once)):
        count = sum(map(len, some))
        while ahead + count > window and len(tasks) > readers.busy:
            task, given, records = tasks.popleft()
            ahead -= records
            yield from readers.result(task, given).decoded
        tasks.append((readers.submit(some), some, count))
        ahead += count
    while tasks:
        task, given, _ = tasks.popleft()
        yield from readers.result(task, given).decoded

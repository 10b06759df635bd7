"""Read, decode and run many images at once, and give the outcomes in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import islice
from time import perf_counter
from typing import TYPE_CHECKING, Any, Literal

from penult.decoding_threads import DecodingThreads
from penult.engines.outcome import Outcome
from penult.errors import ImageError, UsageError
from penult.interface import option
from penult.machine import cores
from penult.records import AugmentedRecord, Failure, ImageRecord
from penult.threads import NetworkThreads

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.engines.base import Engine
    from penult.engines.composition import Composition, Pixels
    from penult.engines.photo_decoder import Decoded
    from penult.recipe import AugmentedRecipe

    # Rows, and why some of them are no good.
    _Forwarded = tuple[tuple[NDArray[Any], ...], dict[int, str]]

__all__ = ["Block", "Outcome", "run"]

_TOGETHER = 8
"""So many views of a photo are made from one decoding, all in one thread. More would save little,
keep other threads from helping, and wait for the engine in memory."""

_AT_ONCE, _WORTH_IT = 8, 0.002
"""A thread is given so many photos at once, at most, where all of them take less than so many
seconds: handing over photos one by one takes longer than decoding icons."""


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
    stop_on_error: bool = False,
    max_pixels: int | None = None,
    allow_truncated: bool = False,
    dtype: Literal["float32", "float16"] = "float32",
    known: Callable[[str], bool] | None = None,
    augmented: AugmentedRecipe | None = None,
) -> Generator[Block, None, None]:
    """Run an engine over images, decoding ahead of it, with bounded memory.

    Threads decode (decoders release the interpreter lock) a bounded number of images ahead; the
    engine runs in threads of its own, as many as it says it can use. However many there are, the
    outcomes come in the order of the records, and a row never depends on what failed beside it.

    Parameters
    ----------
    batch_size : images a call of the engine; what suits the engine by default
    workers : decoding threads; by default the number of cores, 8 at most for small photos
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

    maker = engine if isinstance(engine, Composition) else Composition.of(engine)
    size = maker.batch_size if batch_size is None else batch_size
    threads = cores() if workers is None else workers
    for name, value in (("batch_size", size), ("workers", threads)):
        if value < 1:
            raise UsageError(f"{option(name)} is {value}; give 1 or more")

    decode = PhotoDecoder(
        maker,
        max_pixels=max_pixels,
        allow_truncated=allow_truncated,
        known=known,
        augmented=augmented,
    )

    def forward(images: list[Pixels]) -> _Forwarded:
        return as_stored(maker.run(images), maker.recipes, dtype) if images else ((), {})

    decoders = DecodingThreads(workers)
    runners = NetworkThreads(maker.concurrency)
    waiting: deque[tuple[list[Outcome], Future[_Forwarded]]] = deque()
    stopped = False
    try:
        photos = ([one] for one in records) if augmented is None else _photos(records)
        at_most = _AT_ONCE if augmented is None else 1  # of views, there are several already
        decoded = _ahead(decoders, decode, photos, size + 2 * threads, threads, at_most)
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
        decoders.shutdown(cancel_futures=True)
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
    pool: DecodingThreads,
    decode: Callable[[Sequence[ImageRecord]], list[Decoded]],
    photos: Iterable[Sequence[ImageRecord]],
    window: int,
    least: int,
    at_most: int,
) -> Iterator[Decoded]:
    """Map over the photos in threads, in order.

    At most `window` records ahead of the consumer, or `least` tasks, which keep all threads busy;
    each task is one photo, or up to `at_most` small ones.
    """

    def decode_all(some: Sequence[Sequence[ImageRecord]]) -> tuple[list[Decoded], float]:
        begun = perf_counter()
        found = [one for photo in some for one in decode(photo)]
        return found, (perf_counter() - begun) / len(some)

    futures: deque[tuple[Future[tuple[list[Decoded], float]], int]] = deque()
    ahead, at_once, left = 0, 1, iter(photos)
    while some := list(islice(left, at_once)):
        count = sum(map(len, some))
        while ahead + count > window and len(futures) > least:
            future, records = futures.popleft()
            ahead -= records
            decoded, seconds = future.result()
            at_once = min(at_most, max(1, int(_WORTH_IT / max(seconds, 1e-9))))
            yield from decoded
        futures.append((pool.submit(decode_all, some), count))
        ahead += count
    while futures:
        yield from futures.popleft()[0].result()[0]

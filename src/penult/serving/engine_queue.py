"""The one bounded queue in front of the networks: photos of many requests share batches."""

from __future__ import annotations

import logging
import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Condition
from typing import TYPE_CHECKING

from penult.decoding_threads import DecodingThreads
from penult.engines.finite import as_stored
from penult.engines.photo_decoder import PhotoDecoder
from penult.errors import ImageError, PenultError
from penult.threads import NetworkThreads

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from penult.engines.composition import Composition
    from penult.engines.preprocessor import Pixels
    from penult.records import ImageRecord

__all__ = ["EngineQueue", "Lane", "QueueClosedError", "QueueFullError", "Row"]

_SMOOTH = 0.2
"""How much the latest batch counts in the measured rate."""


class QueueFullError(PenultError):
    """No place is free in the queue.

    Parameters
    ----------
    seconds : float
        When there will be one, by the rate that was measured.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__("the service is busy")
        self.seconds = seconds


class QueueClosedError(PenultError):
    """The queue takes no more photos."""


@dataclass(frozen=True)
class Row:
    """What a photo became.

    Attributes
    ----------
    row : float32 array, shape (D,)
        Flattened; finite.
    content : str
        Hex BLAKE2b-128 digest of the photo's bytes, as feature files have it.
    """

    row: NDArray[np.float32]
    content: str


class Lane:
    """A recipe's network, and how photos are decoded for it.

    Parameters
    ----------
    composition : Composition
        Of one recipe.
    max_pixels : int, optional
        Larger photos are refused, from their header.
    """

    def __init__(self, composition: Composition, *, max_pixels: int | None = None) -> None:
        self.composition = composition
        self.decode = PhotoDecoder(composition.preprocessor, max_pixels=max_pixels)
        self.decoding = 0  # photos; guarded by the queue's lock, as is the next
        self.running = 0  # batches


@dataclass(frozen=True, eq=False)
class _Decoded:
    lane: Lane
    pixels: Pixels
    content: str
    future: Future[Row]
    ready: float


class EngineQueue:
    """Turns photos into rows: threads decode them, others run the networks over batches.

    A photo waits for others only while such are being decoded, and no longer than `batch_wait`.

    Parameters
    ----------
    limit : int
        The most photos that wait or are worked on.
    batch_wait : float
        Seconds that a decoded photo waits at most for those that are still being decoded.
    workers : int, optional
        Decoding threads; by default the number of cores, and 8 at most for small photos.
    on_batch : callable, optional
        Called with the photos of each batch and the seconds that it took, from any thread.
    """

    def __init__(
        self,
        *,
        limit: int = 256,
        batch_wait: float = 0.003,
        workers: int | None = None,
        on_batch: Callable[[int, float], None] | None = None,
    ) -> None:
        self.limit, self.batch_wait, self.on_batch = limit, batch_wait, on_batch
        self._decoders = DecodingThreads(workers)
        self._runners = list[NetworkThreads]()
        self._changed = Condition()
        self._ready = deque[_Decoded]()
        self._inside = 0  # photos that were taken and are not answered
        self._closed = False
        self._seconds_each, self._last = 0.02, 0.0

    def __len__(self) -> int:
        """How many photos wait or are worked on."""
        return self._inside

    def open_lane(self, composition: Composition, *, max_pixels: int | None = None) -> Lane:
        """Let photos in that become rows of a recipe; as many threads run it as it can use."""
        lane = Lane(composition, max_pixels=max_pixels)
        with self._changed:
            while len(self._runners) < composition.concurrency:
                runner = NetworkThreads(1)
                self._runners.append(runner)
                runner.submit(self._run)
        return lane

    def submit(self, records: Sequence[ImageRecord], lane: Lane) -> list[Future[Row]]:
        """Take photos, all or none.

        Parameters
        ----------
        records : sequence of ImageRecord
        lane : Lane
            Whose rows they become.

        Returns
        -------
        list of Future of Row
            In their order. One whose photo cannot be read has an `ImageError`; one that is
            cancelled before its turn costs nothing.

        Raises
        ------
        QueueFullError
            At once; says how long the queue will be full.
        QueueClosedError
        """
        futures = [Future[Row]() for _ in records]
        with self._changed:
            if self._closed:
                raise QueueClosedError("the service is stopping")
            if self._inside + len(records) > self.limit:
                raise QueueFullError(self._inside * self._seconds_each)
            self._inside += len(records)
            lane.decoding += len(records)
        for record, future in zip(records, futures, strict=True):
            self._decoders.submit(self._decode, record, lane, future)
        return futures

    def close(self) -> None:
        """Take no more photos, and answer those that were taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._decoders.shutdown()
        for runner in self._runners:
            runner.shutdown(wait=True)

    def _decode(self, record: ImageRecord, lane: Lane, future: Future[Row]) -> None:
        found: _Decoded | None = None
        error: Exception | None = None
        if not future.cancelled():
            try:
                ((outcome, pixels),) = lane.decode([record])
                if outcome.failure is not None:
                    error = ImageError(outcome.failure.reason)
                elif pixels is not None:
                    found = _Decoded(lane, pixels, outcome.digest, future, time.monotonic())
            except Exception as raised:  # whatever it is, somebody waits for it
                error = raised
        with self._changed:
            lane.decoding -= 1
            if found is not None:
                self._ready.append(found)
            else:
                self._inside -= 1
            self._changed.notify_all()
        if error is not None and future.set_running_or_notify_cancel():
            future.set_exception(error)

    def _run(self) -> None:
        while batch := self._batch():
            lane, begun = batch[0].lane, time.monotonic()
            wanted = [one for one in batch if one.future.set_running_or_notify_cancel()]
            made = _made(lane, wanted) if wanted else []
            self._tell(len(batch), time.monotonic() - begun)
            # Who is answered finds the place free that the photo had.
            with self._changed:
                self._inside -= len(batch)
                lane.running -= 1
                self._measure(batch)
                self._changed.notify_all()
            for one, result in zip(wanted, made, strict=True):
                if isinstance(result, Row):
                    one.future.set_result(result)
                else:
                    one.future.set_exception(result)

    def _tell(self, photos: int, seconds: float) -> None:
        if self.on_batch is not None:
            try:
                self.on_batch(photos, seconds)
            except Exception:  # the thread has others to answer, and would be missed
                logging.getLogger("penult").exception("penult: a batch was not counted")

    def _batch(self) -> list[_Decoded]:
        """Wait for photos of one lane; none once the queue is closed and empty."""
        with self._changed:
            while True:
                if self._ready:
                    first = self._ready[0]
                    lane, now = first.lane, time.monotonic()
                    there = [one for one in self._ready if one.lane is lane]
                    left = first.ready + self.batch_wait - now
                    is_full = len(there) >= lane.composition.batch_size
                    if is_full or left <= 0 or not lane.decoding:
                        break
                    self._changed.wait(left)
                elif self._closed and not self._inside:
                    return []
                else:
                    self._changed.wait()
            # The other threads of this network that have nothing to do take their share.
            free = max(1, lane.composition.concurrency - lane.running)
            batch = there[: min(lane.composition.batch_size, math.ceil(len(there) / free))]
            taken = set(map(id, batch))
            self._ready = deque(one for one in self._ready if id(one) not in taken)
            lane.running += 1
            return batch

    def _measure(self, batch: Sequence[_Decoded]) -> None:
        """Update what a photo takes, by the time since the last batch, or since this one waits."""
        now = time.monotonic()
        each = (now - max(self._last, batch[0].ready)) / len(batch)
        self._seconds_each += _SMOOTH * (each - self._seconds_each)
        self._last = now


def _made(lane: Lane, batch: Sequence[_Decoded]) -> list[Row | Exception]:
    try:
        made = lane.composition.run([one.pixels for one in batch])
        rows, unfit = as_stored(made, lane.composition.recipes, "float32")
    except Exception as error:  # whatever it is, somebody waits for it
        return [error] * len(batch)
    return [
        ImageError(unfit[place]) if place in unfit else Row(rows[0][place].reshape(-1), one.content)
        for place, one in enumerate(batch)
    ]

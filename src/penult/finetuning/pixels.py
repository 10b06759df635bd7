"""Photos as a network sees them, in batches: read ahead in threads, changed at random or not."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from penult.decoding_threads import DecodingThreads
from penult.errors import ImageError
from penult.images.pixels.changed_view import ChangedView
from penult.images.pixels.decode import MAX_PIXELS
from penult.images.pixels.transform import Transform
from penult.images.read import digest_of, read_image
from penult.records import Failure
from penult.wording import count

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

    from penult.extractor import ReadingOptions
    from penult.finetuning.array_store import ArrayStore
    from penult.images.pixels.augment import Augmentation
    from penult.images.pixels.decode import Size
    from penult.recipe import Preprocessing
    from penult.records import ImageRecord

__all__ = ["PixelBatch", "PixelReader"]

_AHEAD = 2  # batches


@dataclass(frozen=True)
class PixelBatch:
    """What could be read of one batch.

    Attributes
    ----------
    rows : int64 array, shape (n,)
        The numbers of the images.
    pixels : uint8 array, shape (n, H, W, 3)
        RGB.
    """

    rows: NDArray[np.int64]
    pixels: NDArray[np.uint8]


@dataclass(kw_only=True)
class PixelReader:
    """Reads photos as extraction does: the same decoding, the same resize and crop.

    Attributes
    ----------
    records : sequence of ImageRecord
        By row number.
    preprocessing : Preprocessing
        What photos go through.
    reading : ReadingOptions
        How they are read.
    augmentation : Augmentation or None
        How training views are changed. A view depends on the seed, the policy, the photo's bytes
        and its number alone, not on threads, and not on what is kept.
    store : ArrayStore or None
        Where pixels are kept, so that each photo is decoded once: as extraction sees it, and
        reduced as `ChangedView` has it.
    failures : dict of str to Failure
        By id: the photos that could be read before and cannot be read now.
    """

    records: Sequence[ImageRecord]
    preprocessing: Preprocessing
    reading: ReadingOptions
    augmentation: Augmentation | None = None
    store: ArrayStore | None = None
    failures: dict[str, Failure] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._transform = Transform(self.preprocessing)
        self._changed = None
        if self.augmentation is not None:
            self._changed = ChangedView(self.augmentation, self.preprocessing)
        self._contents: dict[int, str] = {}
        self._failing = Lock()

    def batches(
        self, batches: Iterable[NDArray[np.int64]], *, view: int | None = None
    ) -> Generator[PixelBatch, None, None]:
        """Read batches of photos, at most two batches ahead.

        Parameters
        ----------
        batches : iterable of int64 array
            Row numbers.
        view : int, optional
            Which augmented view of each photo; the photo itself by default.

        Yields
        ------
        PixelBatch
            One a batch, in their order; without the photos that could not be read, perhaps empty.
        """
        pool = DecodingThreads(self.reading.workers)
        waiting: deque[tuple[NDArray[np.int64], list[Future[NDArray[np.uint8] | None]]]] = deque()
        try:
            for rows in batches:
                waiting.append((rows, [pool.submit(self._read, int(k), view) for k in rows]))
                if len(waiting) > _AHEAD:
                    yield self._gathered(*waiting.popleft())
            while waiting:
                yield self._gathered(*waiting.popleft())
        finally:
            pool.shutdown(cancel_futures=True)

    def readable(self, rows: NDArray[np.int64]) -> int:
        """Count those of some photos that could be read whenever they were asked for."""
        return sum(self.records[k].id not in self.failures for k in rows.tolist())

    def _gathered(
        self, rows: NDArray[np.int64], futures: list[Future[NDArray[np.uint8] | None]]
    ) -> PixelBatch:
        read = [future.result() for future in futures]
        kept = [k for k, pixels in enumerate(read) if pixels is not None]
        height, width = self.preprocessing.input_size
        found = [pixels for pixels in read if pixels is not None]
        pixels = np.stack(found) if found else np.empty((0, height, width, 3), np.uint8)
        return PixelBatch(rows[kept], pixels)

    def _read(self, number: int, view: int | None) -> NDArray[np.uint8] | None:
        changed = self._changed
        if changed is None or view is None:
            return self._once(number, "seen", self._transform, self._transform.at_least)
        reduced = self._once(number, "reduced", changed.reduce, changed.at_least)
        return None if reduced is None else changed(reduced, self._contents[number], view)

    def _once(
        self,
        number: int,
        what: str,
        make: Callable[[Image.Image], NDArray[np.uint8]],
        at_least: Size,
    ) -> NDArray[np.uint8] | None:
        """What is made of a photo; read again only where it could not be kept."""
        key = what, number
        if self.store is not None and (kept := self.store.get(key)) is not None:
            return kept
        record = self.records[number]
        try:
            made, content = read_image(
                record,
                lambda image, *_: make(image),
                allow_truncated=self.reading.allow_truncated,
                at_least=[at_least],
                max_pixels=self.reading.max_pixels or MAX_PIXELS,
            )
        except ImageError as error:
            self._fail(record, error)
            return None
        if what == "reduced":
            # What is in memory has no digest; its views are not to be all alike.
            self._contents[number] = content or digest_of(made[0].tobytes())
        if self.store is not None:
            self.store.put(key, made[0])
        return made[0]

    def _fail(self, record: ImageRecord, error: ImageError) -> None:
        failure = Failure(record.id, str(error))
        if self.reading.on_error == "fail":
            raise ImageError(failure.line) from error
        with self._failing:
            is_new = record.id not in self.failures
            self.failures[record.id] = failure
        if is_new:
            logging.getLogger("penult").warning(
                "penult: %s; it was read before, and training goes on without it (%s so far)",
                failure.line,
                count(len(self.failures), "photo"),
            )

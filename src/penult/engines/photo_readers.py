"""Who reads photos ahead of an engine: threads, and on many cores processes in their place."""

from __future__ import annotations

import logging
import multiprocessing
from concurrent.futures import Future
from typing import TYPE_CHECKING

from penult.decoding_threads import DecodingThreads
from penult.engines.reading import Reading, read_photos
from penult.engines.reading_processes import ReadingProcesses, sent
from penult.images.in_memory import MemoryRecord
from penult.machine import cores, free_memory
from penult.messages import first_line
from penult.records import AugmentedRecord

if TYPE_CHECKING:
    from penult.engines.photo_decoder import PhotoDecoder
    from penult.engines.reading import Photos

__all__ = ["PhotoReaders"]

_log = logging.getLogger("penult")

_CORES = 12
"""Of fewer, threads make as much: eight read 1,121 small photos a second on sixteen cores, and
sixteen processes 2,095 (benchmarks/RESULTS.md)."""

_MOST = 32
"""A process takes 0.4 ms of a core for each photo that others read for it."""

_WORTH_STARTING = 3000
"""Photos that are left. A process takes a second of a core to start."""

_ROOM = 1 << 27  # bytes of memory for each; 60 MB are its own

_SMALL = 0.01
"""Seconds of a core. For photos that take longer, threads hardly wait for each other."""

_AT_ONCE, _WORTH_IT = 8, 0.002
"""A thread is given so many photos at once, at most, where all of them take less than so many
seconds: handing over photos one by one takes longer than decoding icons."""

_PIECE = 1 << 20
"""A process is given as many at once as give so many bytes of pixels, and no more than that."""


class PhotoReaders:
    """Reads photos in threads or processes, whichever are faster; the outcomes are the same.

    Parameters
    ----------
    decode : PhotoDecoder
        What reads a photo.
    workers : int or None
        How many at most; None for what suits cores and photos.
    total : int or None
        How many records there are, where processes may read them; None for threads alone.
    at_once : int
        How many photos make a task, at most.
    """

    def __init__(
        self, decode: PhotoDecoder, workers: int | None, total: int | None, at_once: int = _AT_ONCE
    ) -> None:
        self._decode, self._workers, self._left, self._most = decode, workers, total or 0, at_once
        self._threads = DecodingThreads(workers)
        self._processes: ReadingProcesses | None = None
        self._wants_processes = decode.can_be_sent and self._suitable >= _CORES
        self._last: Reading | None = None

    @property
    def at_once(self) -> int:
        """How many photos the next task should be."""
        if self._last is None:
            return 1
        at_once = max(1, int(_WORTH_IT / max(self._last.seconds, 1e-9)))
        if self._next_pool:
            at_once = max(at_once, _PIECE // max(1, self._last.size))
        return min(at_once, self._most)

    @property
    def busy(self) -> int:
        """How many tasks keep all of them busy."""
        pool = self._next_pool
        return 2 * pool.count if pool else self._workers or cores()

    def submit(self, photos: Photos) -> Future[Reading]:
        """Have photos read; ask `result` for what became of them."""
        self._start_processes(photos)
        self._left -= sum(map(len, photos))
        pool = self._next_pool
        task = self._sent(pool, photos) if pool else None
        return task or self._threads.submit(read_photos, self._decode, photos)

    def result(self, task: Future[Reading], photos: Photos) -> Reading:
        """Wait for a task; what was lost with the process that read it is read again."""
        try:
            self._last = task.result()
        except Exception as error:
            if self._processes is None:
                raise
            self._give_up(error)
            self._last = read_photos(self._decode, photos)
        return self._last

    def shutdown(self) -> None:
        """Wait for tasks that have begun; the others are cancelled."""
        if self._processes is not None:
            self._processes.shutdown()
        self._threads.shutdown(cancel_futures=True)

    @property
    def _suitable(self) -> int:
        return min(self._workers or cores(), cores(), _MOST)

    @property
    def _are_small(self) -> bool:
        return self._last is not None and self._last.core_seconds <= _SMALL

    @property
    def _next_pool(self) -> ReadingProcesses | None:
        """The processes, where the next task is for them."""
        pool = self._processes
        is_theirs = self._wants_processes and self._are_small and pool and pool.are_ready
        return pool if is_theirs else None

    def _start_processes(self, photos: Photos) -> None:
        if not self._wants_processes or self._processes is not None or not self._are_small:
            return
        count = min(self._suitable, free_memory() // _ROOM)
        daemon = multiprocessing.current_process().daemon  # which may have no children
        pays = self._left >= _WORTH_STARTING and count >= _CORES
        if not pays or daemon or _in_memory(photos) or sent(photos) is None:
            self._wants_processes = False
            return
        try:
            self._processes = ReadingProcesses(count, self._decode)
        except Exception as error:
            self._give_up(error)

    def _sent(self, pool: ReadingProcesses, photos: Photos) -> Future[Reading] | None:
        """Have a process read photos; None where they are left to threads."""
        if _in_memory(photos):
            return None
        data = sent(photos)
        if data is None:
            self._wants_processes = False
            _log.info("penult: photos of this source are read by threads alone")
            return None
        try:
            return pool.submit(data)
        except Exception as error:
            self._give_up(error)
            return None

    def _give_up(self, error: Exception) -> None:
        if self._wants_processes:
            self._wants_processes = False
            _log.warning(
                "penult: photos are read by threads from here on, since processes cannot (%s: %s)",
                type(error).__name__,
                first_line(error),
            )


def _in_memory(photos: Photos) -> bool:
    """Whether some are, so that sending them would take longer than decoding them saves."""
    return any(
        isinstance(one.photo if isinstance(one, AugmentedRecord) else one, MemoryRecord)
        for records in photos
        for one in records[:1]
    )

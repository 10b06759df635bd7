"""Processes that read photos, where threads would wait for each other."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from penult.engines.reading import Reading, read_photos
from penult.images.pixels.budget import DECODING

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from penult.engines.photo_decoder import PhotoDecoder
    from penult.engines.reading import Photos

__all__ = ["ReadingProcesses", "sent"]

_LONGEST = 1 << 14
"""Bytes of a pickled record; one of a file has some 200."""


class ReadingProcesses:
    """A pool of processes that read photos; their pixels come back through pipes.

    Parameters
    ----------
    count : int
        How many.
    decode : PhotoDecoder
        Each gets a copy.

    Raises
    ------
    Exception
        Of many kinds, if this machine or this process may start none.

    Notes
    -----
    They are loky's: not forked, since a fork of a process with threads and a GPU may wait for ever,
    and without the main module, which those of `multiprocessing` would import, and so run a script
    again that has no ``if __name__ == "__main__"``.
    """

    def __init__(self, count: int, decode: PhotoDecoder) -> None:
        from loky.backend import get_context
        from loky.process_executor import ProcessPoolExecutor

        self.count = count
        _start_trackers()
        context = get_context("loky")
        # They are for small photos; what threads beside them decode has the other half.
        room = DECODING.size // 2 // count
        self._pool = ProcessPoolExecutor(
            count,
            context=context,
            initializer=_begin,
            initargs=(decode, room, context.Lock(), os.getpid()),
            # A photo that was larger than others is no leak, for which loky would begin anew.
            env={"LOKY_MAX_MEMORY_LEAK_SIZE": str(sys.maxsize)},
        )
        others = multiprocessing.active_children()
        try:
            with _interrupts_left_to_us():
                self._first: Future[None] = self._pool.submit(_nothing)
        except BaseException:
            # Those that were started before the one that could not be are waited for at exit.
            for process in multiprocessing.active_children():
                if process not in others:
                    process.terminate()
            raise

    @property
    def are_ready(self) -> bool:
        """Whether the first of them is; those that are not take no photo from it."""
        return self._first.done()

    def submit(self, photos: bytes) -> Future[Reading]:
        """Have photos, as `sent` gives them, read by whichever process is free first."""
        task: Future[Reading] = self._pool.submit(_read, photos)
        return task

    def shutdown(self) -> None:
        """End them, whatever they are at."""
        self._pool.shutdown(wait=True, kill_workers=True)


def sent(photos: Photos) -> bytes | None:
    """Pickle photos; None where they cannot be, or would be more than what is read is worth.

    Not by loky, which sends what the main module defines with all that it refers to, each time.
    """
    try:
        data = pickle.dumps(photos, pickle.HIGHEST_PROTOCOL)
    except Exception:  # whatever a third party's records raise
        return None
    records = sum(map(len, photos))
    return None if b"__main__" in data or len(data) > _LONGEST * records else data


def _start_trackers() -> None:
    """Start what clears up semaphores behind a killed process, and have it say nothing of that."""
    from multiprocessing import resource_tracker

    from loky.backend import resource_tracker as loky_tracker

    sys.warnoptions.append("ignore")
    try:
        for tracker in (resource_tracker, loky_tracker):
            tracker.ensure_running()
    finally:
        sys.warnoptions.remove("ignore")


@contextmanager
def _interrupts_left_to_us() -> Iterator[None]:
    """Processes that are started meanwhile never get a Ctrl-C: the one that started them ends them.

    The terminal sends it to all. A process that ignores it once Python runs would still show a
    traceback before. Trackers have to be there already: starting one lets it through again.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


# In such a process.

_decoder: list[PhotoDecoder] = []


def _begin(
    decode: PhotoDecoder, room: int, turn: AbstractContextManager[object], parent: int
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.stderr is None:  # closed; loky has `faulthandler` write to it
        sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115 - as long as the process
    Thread(target=_end_with, args=(parent,), daemon=True).start()
    DECODING.divide(room, turn)
    _decoder[:] = [decode]


def _end_with(parent: int) -> None:
    """Outlive nobody: a parent that is killed can say nothing."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def _nothing() -> None:
    pass


def _read(photos: bytes) -> Reading:
    return read_photos(_decoder[0], pickle.loads(photos))

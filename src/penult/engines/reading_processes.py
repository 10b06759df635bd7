"""Processes that read photos, where threads would wait for each other."""

from __future__ import annotations

import multiprocessing
import os
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

__all__ = ["ReadingProcesses"]


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
        context = get_context("loky")
        self._pool = ProcessPoolExecutor(
            count,
            context=context,
            initializer=_begin,
            initargs=(decode, DECODING.size // count, context.Lock(), os.getpid()),
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

    def submit(self, photos: Photos) -> Future[Reading]:
        """Have photos read by whichever process is free first."""
        task: Future[Reading] = self._pool.submit(_read, photos)
        return task

    def shutdown(self) -> None:
        """End them, whatever they are at."""
        self._pool.shutdown(wait=True, kill_workers=True)


@contextmanager
def _interrupts_left_to_us() -> Iterator[None]:
    """Processes that are started meanwhile never get a Ctrl-C: the one that started them ends them.

    The terminal sends it to all. A process that ignores it once Python runs would still show a
    traceback before.
    """
    from multiprocessing import resource_tracker

    from loky.backend import resource_tracker as loky_tracker

    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    for tracker in (resource_tracker, loky_tracker):
        tracker.ensure_running()  # which would let interrupts through again
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


def _read(photos: Photos) -> Reading:
    return read_photos(_decoder[0], photos)

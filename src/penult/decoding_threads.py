"""Threads that read and decode photos: no more of them than photos of their size gain from."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from time import thread_time
from typing import Any, TypeVar

from penult.machine import cores

__all__ = ["DecodingThreads"]

_Made = TypeVar("_Made")

_SMALL = 0.01
"""Seconds of a core that a task with small photos takes, at most."""

_OF_SMALL = 8
"""Threads for those. A photo takes Python's lock some ten times, and handing that over takes as
long as decoding does once more threads wait for it: of photos of 590 × 540 pixels, sixteen threads
on sixteen cores read fewer than eight (benchmarks/RESULTS.md)."""


class DecodingThreads:
    """A pool of threads, of which eight work at most while tasks are small.

    Parameters
    ----------
    workers : int or None
        So many threads, whatever photos they get; None for one a core, as far as that pays.
    """

    def __init__(self, workers: int | None = None) -> None:
        most = workers or cores()
        self._all = ThreadPoolExecutor(most, thread_name_prefix="decode")
        self._few = self._all
        if workers is None and most > _OF_SMALL:
            self._few = ThreadPoolExecutor(_OF_SMALL, thread_name_prefix="decode")
        self._took = 0.0  # by the last task that is done

    def submit(self, task: Callable[..., _Made], *args: Any) -> Future[_Made]:
        """Run a task, when it is its turn."""
        pool = self._few if self._took <= _SMALL else self._all
        return pool.submit(self._timed, partial(task, *args))

    def shutdown(self, *, cancel_futures: bool = False) -> None:
        """Wait for all tasks, or for those that have begun; see `concurrent.futures.Executor`."""
        for pool in (self._few, self._all):
            pool.shutdown(wait=False, cancel_futures=cancel_futures)
        for pool in (self._few, self._all):
            pool.shutdown(wait=True)

    def _timed(self, task: Callable[[], _Made]) -> _Made:
        began = thread_time()
        try:
            return task()
        finally:
            self._took = thread_time() - began

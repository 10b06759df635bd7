"""Threads that run networks, and what a fork has to know of them."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from threading import get_native_id

__all__ = ["NetworkThreads"]

_TASKS = "/proc/self/task"
_PATIENCE = 1.0  # seconds; a thread that has been joined is gone in less than one of a thousand

_joined = set[int]()


class NetworkThreads(ThreadPoolExecutor):
    """A pool of threads that run networks; a fork waits until those that were joined are gone.

    A thread that was joined has left Python, and may still be at what MKL does at its end, which
    holds locks: a child forked meanwhile waits for them for ever once it multiplies matrices.
    """

    def __init__(self, threads: int) -> None:
        self._begun = set[int]()
        super().__init__(threads, "network", lambda: self._begun.add(get_native_id()))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """See `concurrent.futures.Executor.shutdown`."""
        super().shutdown(wait, cancel_futures=cancel_futures)
        if wait:
            _joined.update(self._begun)
            if len(_joined) > 100:  # a service never forks
                _forget_those_that_are_gone()


def _forget_those_that_are_gone() -> None:
    try:
        there = os.listdir(_TASKS)  # noqa: PTH208 - not a path that anybody gave
    except OSError:  # not on Linux
        there = []
    _joined.intersection_update(map(int, there))


def _before_fork() -> None:
    last = time.monotonic() + _PATIENCE
    while _joined:
        _forget_those_that_are_gone()
        if time.monotonic() > last:  # another thread has got the number
            _joined.clear()
        elif _joined:
            time.sleep(0.0005)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork)

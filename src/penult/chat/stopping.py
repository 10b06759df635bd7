"""Signals that end a bot in order."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["set_by_signals"]

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")  # of which Windows lacks the last


@contextmanager
def set_by_signals(stop: asyncio.Event) -> Iterator[None]:
    """Have the first signal set an event of the running loop, and further ones act as before.

    A signal that is ignored, as SIGHUP by ``nohup``, stays ignored. Beside the main thread, and on
    Windows, signals do what they do anyway.

    Parameters
    ----------
    stop : asyncio.Event
        Set from within the loop.
    """
    loop = asyncio.get_running_loop()
    before = {}
    if threading.current_thread() is threading.main_thread():
        found = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
        before = {one: signal.getsignal(one) for one in found}
    taken: list[signal.Signals] = []

    def release() -> None:
        while taken:
            signum = taken.pop()
            loop.remove_signal_handler(signum)
            signal.signal(signum, before[signum])

    def end() -> None:
        release()
        stop.set()

    try:
        for signum, handler in before.items():
            if handler in (signal.SIG_IGN, None):
                continue
            try:
                loop.add_signal_handler(signum, end)
            except NotImplementedError:
                break
            taken.append(signum)
        yield
    finally:
        release()

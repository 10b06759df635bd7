"""What Ray says to its users, kept from the screen of penult's."""

from __future__ import annotations

import logging
import os
import re
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any

__all__ = ["hushed", "own_signals", "prepare", "without_messages"]

_log = logging.getLogger("penult")

# Of what a cluster publishes to its drivers.
_GONE = re.compile(r"address: (\S+) and node name: \S+ has been marked dead")

_turn = threading.RLock()  # or standard error would end up as what another thread has closed

# "[2026-11-27 09:55:34,499 E 15197 15197] core_worker.cc:2465: …" of the parts in C++, and
# "2026-11-27 09:57:54,908 WARNING __init__.py:28 -- …" of those in Python.
_OF_RAY = re.compile(rb"\[?\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}[ \t]|\(raylet\)")


def prepare() -> None:
    """Import Ray as it is to be: nothing is reported to anybody, nor printed."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    # Or the thread that takes results would start another cluster when this one is let go of.
    os.environ.setdefault("RAY_ENABLE_AUTO_CONNECT", "0")
    import ray.data  # noqa: F401 - both set up their loggers when they are imported

    for name in ("ray", "ray.data"):
        logging.getLogger(name).setLevel(logging.ERROR + 5)


@contextmanager
def hushed() -> Iterator[None]:
    """Hold back what is written to standard error, and pass it on afterwards without Ray's lines.

    Ray's parts in C++ write to the file descriptor itself, and no setting keeps all of that away.
    """
    with _turn, _held_back():
        yield


@contextmanager
def _held_back() -> Iterator[None]:
    try:
        sys.stderr.flush()
        own = os.dup(2)
    except (AttributeError, OSError, ValueError):  # there is none
        yield
        return
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            with suppress(OSError, ValueError):
                sys.stderr.flush()
            os.dup2(own, 2)
            os.close(own)
            held.seek(0)
            for line in held:
                if not _OF_RAY.match(line):
                    with suppress(OSError):
                        os.write(2, line)


@contextmanager
def without_messages() -> Iterator[None]:
    """Keep what a cluster publishes to its drivers from the screen, but for a machine that is gone.

    No setting does: Ray prints each try of a task that is taken to another machine.
    """
    try:
        worker = import_module("ray._private.worker")
        before = worker.print_to_stdstream
    except (ImportError, AttributeError):  # not of Ray's public interface
        yield
        return
    setattr(worker, "print_to_stdstream", _published)  # noqa: B010 - unknown to its types
    try:
        yield
    finally:
        setattr(worker, "print_to_stdstream", before)  # noqa: B010


def _published(data: dict[str, Any], *_: Any, **__: Any) -> None:
    for line in data.get("lines", ()):
        if found := _GONE.search(str(line)):
            _log.warning(
                "the machine %s of the cluster is gone; what it had in hand is done again",
                found[1],
            )


@contextmanager
def own_signals() -> Iterator[None]:
    """Have the signals do afterwards what they did before: Ray takes SIGTERM for itself."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    names = ("SIGINT", "SIGTERM", "SIGHUP")
    before = {n: signal.getsignal(getattr(signal, n)) for n in names if hasattr(signal, n)}
    try:
        yield
    finally:
        for name, handler in before.items():
            if handler is not None:
                signal.signal(getattr(signal, name), handler)

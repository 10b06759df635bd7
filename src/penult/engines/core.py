"""The one OpenVINO core of a process, and the stack that signals are handled on."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock
from types import ModuleType
from typing import Any

__all__ = ["keep_signal_stack", "the_core"]

_making = Lock()


def the_core(ov: ModuleType) -> Any:
    """Give the process's ov.Core, which is never let go.

    The CPU plugin of each core gives the thread that makes it a stack for signal handlers, and
    frees it when it goes. Two cores that do not go in the opposite order of their coming leave the
    thread with a stack that is free memory, and the next Ctrl-C is a segmentation fault.
    """
    with _making:
        return _core(ov)


@cache
def _core(ov: ModuleType) -> Any:
    return ov.Core()


class _Stack(ctypes.Structure):
    # stack_t of <signal.h>, on Linux.
    _fields_ = (("start", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t))


@contextmanager
def keep_signal_stack() -> Iterator[None]:
    """Leave this thread with the signal stack it had, whatever cores others make meanwhile."""
    if not sys.platform.startswith("linux"):
        yield
        return
    library = ctypes.CDLL(None)
    before = _Stack()
    library.sigaltstack(None, ctypes.byref(before))
    try:
        yield
    finally:
        library.sigaltstack(ctypes.byref(before), None)

"""OpenVINO in a process: its import, its one core, and what of it outlives a fork: nothing."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from types import ModuleType
from typing import Any
from weakref import WeakSet

from penult.errors import EngineError
from penult.locks import ForkSafeLock

__all__ = [
    "first_run_lock",
    "import_converter",
    "import_openvino",
    "keep_signal_stack",
    "refuse_forked",
    "shared_core",
    "stays_in_forks",
]

# OpenVINO's bindings set up some of their types when the first image is run, in a way that two
# threads at once deadlock in: one holds the interpreter and waits for the other's set-up, which
# waits for the interpreter. So every engine runs one image before it is handed out.
first_run_lock = ForkSafeLock()

_making = ForkSafeLock()
_made_in: int | None = None
_immortal: WeakSet[Any] = WeakSet()


@cache
def import_openvino() -> ModuleType:
    """Import OpenVINO without its converter, which takes as long again, until that is needed.

    Raises
    ------
    EngineError
    """
    try:
        with _hidden("openvino.tools.ovc", unless="openvino"):
            import openvino
    except ImportError as error:
        raise EngineError(f"OpenVINO cannot be imported: {error}") from error
    if not hasattr(openvino, "convert_model"):
        # For whoever else looks for it in this process.
        openvino.__getattr__ = _converter_when_asked
    module: ModuleType = openvino
    return module


def _converter_when_asked(name: str) -> Any:
    if name != "convert_model":
        raise AttributeError(f"module 'openvino' has no attribute {name!r}")
    return import_converter()


@cache
def import_converter() -> Callable[..., Any]:
    """Import OpenVINO's ``convert_model`` without its telemetry, which reports by default.

    The converter has a stub for where the telemetry package is not installed; hiding the package
    during the import makes it take the stub. Where it was imported before, the stub is put in.
    Each report would be a forked process, too, which holds open what files this one has open.

    Raises
    ------
    EngineError
    """
    import_openvino()
    try:
        with _hidden("openvino_telemetry", unless="openvino.tools.ovc"):
            from openvino.tools.ovc import (
                convert_impl,
                convert_model,
                telemetry_stub,
                telemetry_utils,
                utils,
            )
    except ImportError as error:
        raise EngineError(f"OpenVINO's converter cannot be imported: {error}") from error
    for reporting in (convert_impl, telemetry_utils, utils):
        reporting.tm = telemetry_stub
    convert: Callable[..., Any] = convert_model
    return convert


@contextmanager
def _hidden(name: str, *, unless: str) -> Iterator[None]:
    """Have a module seem not to be installed, unless it or another was imported before."""
    hide = name not in sys.modules and unless not in sys.modules
    if hide:
        sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if hide:
            del sys.modules[name]


def shared_core(ov: ModuleType) -> Any:
    """Give the process's ov.Core, which is never let go.

    The CPU plugin of each core gives the thread that makes it a stack for signal handlers, and
    frees it when it goes. Two cores that do not go in the opposite order of their coming leave the
    thread with a stack that is free memory, and the next Ctrl-C is a segmentation fault.

    Raises
    ------
    EngineError
        See `refuse_forked`.
    """
    global _made_in
    refuse_forked()
    with _making:
        _made_in = os.getpid()
        return _core(ov)


@cache
def _core(ov: ModuleType) -> Any:
    core = ov.Core()
    stays_in_forks(core)
    return core


def refuse_forked() -> None:
    """Refuse what would wait for threads that are not there, for ever.

    A fork takes along the thread that forks, and nothing of OpenVINO's pools but their belief that
    they are running. A core that is made anew in the child is given the same pools.

    Raises
    ------
    EngineError
        If this process was forked from one in which OpenVINO had run.
    """
    if _made_in not in (None, os.getpid()):
        raise EngineError(
            "this process was forked from one that had used OpenVINO, whose threads a fork leaves "
            "behind; start processes by multiprocessing.get_context('spawn') or 'forkserver' (in "
            "joblib, by its default, loky), or give the engine torch, which runs in one thread here"
        )


def stays_in_forks(thing: Any) -> None:
    """Have a forked child never free `thing`: to be freed, it waits for threads of OpenVINO's."""
    _immortal.add(thing)


def _in_child() -> None:
    for thing in list(_immortal):
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)


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

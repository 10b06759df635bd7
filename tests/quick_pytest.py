"""What pytest does for each of ten thousand tests, and at the end of a worker, at less cost."""

from __future__ import annotations

import atexit
import faulthandler
import logging
import os
import re
import time
from collections import Counter
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol

_WORKER = "PYTEST_XDIST_WORKER" in os.environ
_UNSEEN = 0.005  # seconds: what took less, --durations leaves out
_HANGS = 300  # seconds, after which a test that hangs says where
_armed: list[float] = []  # when the watch was set
_stderr: list[int] = []  # that of pytest, which a test does not capture


def pytest_configure() -> None:
    _stderr.append(os.dup(2))


def pytest_unconfigure() -> None:
    faulthandler.cancel_dump_traceback_later()
    os.close(_stderr.pop())


def pytest_collection_finish() -> None:
    """Have all loggers tell the root, as most do.

    pytest would add itself to, and take itself from, each of the others (those of torch) six times
    for each test, and so hears the same.
    """
    for logger in logging.root.manager.loggerDict.values():
        if isinstance(logger, logging.Logger):
            logger.propagate = True


def _watch() -> None:
    """Say where a test hangs.

    faulthandler_timeout sets a watch for each test and waits for the end of its thread, milliseconds
    on a busy machine; this one is set once a minute.
    """
    now = time.monotonic()
    if not _armed or now - _armed[0] > 60:
        _armed[:] = [now]
        faulthandler.dump_traceback_later(_HANGS + 60, file=_stderr[-1])


def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Of a set-up and a tear-down that passed at once, a worker reports nothing: nobody looks at it."""
    _watch()
    if not _WORKER:
        return None
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for report in runtestprotocol(item, log=False, nextitem=nextitem):
        seen = not report.passed or report.sections or report.duration >= _UNSEEN
        if report.when == "call" or seen:
            item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


_FOLDERS: Counter[str] = Counter()


@pytest.fixture
def tmp_path(request, tmp_path_factory) -> Path:
    """A folder of the test's own, named as pytest names it, which looks through all others for that."""
    name = re.sub(r"\W", "_", request.node.name)[:30]
    _FOLDERS[name] += 1
    return tmp_path_factory.mktemp(f"{name}{_FOLDERS[name] - 1}", numbered=False)


def _end_at_once(process: int) -> None:
    if os.getpid() == process:
        os._exit(0)


if _WORKER:
    # It has told all that it knows; to take apart what is in memory is seconds of work. What is
    # registered later, by libraries, is run before this.
    atexit.register(_end_at_once, os.getpid())

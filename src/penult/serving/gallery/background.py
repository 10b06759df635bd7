"""What is worked out beside the requests: one step after the other, in a thread of its own."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from penult.errors import PenultError
from penult.progress import announcing

if TYPE_CHECKING:
    from penult.progress import Tell

__all__ = ["Background", "Later", "NotReadyError"]

Result = TypeVar("Result")

_MOST_SECONDS = 60  # that a client is told to wait
_NICE = 10  # requests go first
_PATIENCE = 2.0  # seconds until what cannot be interrupted is left to itself


class NotReadyError(Exception):
    """A result that is still being worked out.

    Parameters
    ----------
    name : str
        What it is.
    seconds : int
        When to ask again: in as much time as it has taken so far.
    """

    def __init__(self, name: str, seconds: int) -> None:
        super().__init__(f"{name} is still being worked out; ask again in {seconds} s")
        self.seconds = seconds


class _StoppedError(BaseException):
    """Raised where a step tells how far it is, to end it."""


class Later(Generic[Result]):
    """A result that may not be there yet.

    Parameters
    ----------
    name : str
        What it is, as the beginning of a sentence.
    work : callable
        Works it out; given what it has to tell of its progress, often.
    """

    def __init__(self, name: str, work: Callable[[Tell], Result]) -> None:
        self.name, self._work = name, work
        self.began = time.monotonic()
        self._done = threading.Event()
        self._result: Result | None = None
        self._error: PenultError | None = None

    @property
    def is_done(self) -> bool:
        """Whether `get` has an answer."""
        return self._done.is_set()

    def get(self) -> Result:
        """The result.

        Raises
        ------
        NotReadyError
            If it is not there yet.
        PenultError
            If it cannot be had; says why.
        """
        if not self.is_done:
            seconds = int(time.monotonic() - self.began) + 1
            raise NotReadyError(self.name, min(seconds, _MOST_SECONDS))
        if self._error is not None:
            raise self._error
        return self._result  # type: ignore[return-value]

    def get_or_none(self) -> Result | None:
        """The result; None if it is not there yet, or cannot be had."""
        return None if not self.is_done or self._error is not None else self._result

    def run(self, tell: Tell, is_stopped: Callable[[], bool] = lambda: False) -> None:
        """Work it out, in the thread that calls."""
        try:
            self._result = self._work(tell)
        except PenultError as error:
            self._error = error
        except Exception:
            if is_stopped():  # while the process ends, nothing can be begun any more
                return
            logging.getLogger("penult").exception("penult: %s failed", self.name.lower())
            self._error = PenultError(f"{self.name} could not be worked out; the log says why")
        self._done.set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until `get` has an answer, at most so many seconds; say whether it has."""
        return self._done.wait(timeout)


class Background:
    """Works out results in their order, until all are there or it is closed.

    Parameters
    ----------
    results : sequence of Later
    """

    def __init__(self, results: Sequence[Later[Any]]) -> None:
        self._results = tuple(results)
        self._stop = threading.Event()
        self._starting, self._is_started = threading.Lock(), False
        # What numpy is at cannot be interrupted; the process need not wait for it.
        self._thread = threading.Thread(target=self._run, name="penult-collection", daemon=True)

    def start(self) -> None:
        """Begin; doing it twice does no harm."""
        with self._starting:
            if not self._is_started and not self._stop.is_set():
                self._is_started = True
                for one in self._results:
                    one.began = time.monotonic()
                self._thread.start()

    def close(self) -> None:
        """End it: at once, or in two seconds where a step does not tell how far it is."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(_PATIENCE)

    def _run(self) -> None:
        if sys.platform == "linux":  # where a thread has a priority of its own
            with suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
        with suppress(_StoppedError), announcing(self._tell):
            for one in self._results:
                self._tell()
                one.run(self._tell, self._stop.is_set)

    def _tell(self, *_: object) -> None:
        if self._stop.is_set():
            raise _StoppedError

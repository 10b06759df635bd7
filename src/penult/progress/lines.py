"""Progress in a log: a line now and then."""

from __future__ import annotations

import sys
import time

from penult.messages import printable
from penult.progress.pace import Pace, going_on, sentence
from penult.records import Progress

__all__ = ["Lines"]

_SECONDS_APART = 10


class Lines:
    """Lines on stderr, at most every ten seconds, so that the log of a night stays short."""

    def __init__(self) -> None:
        self._stage, self._last, self._ended = "", time.monotonic(), False

    def show(self, now: Progress, pace: Pace) -> None:
        """Print a line, if it is time for one."""
        begins, self._stage = now.stage != self._stage, now.stage
        if not now.counted:
            if begins and not now.brief:
                self._print(sentence(now, pace))
            return
        if begins and now.kept:
            self._print(going_on(now))
        ends = now.done == now.total
        if begins or not ends:
            self._ended = False
        is_over = ends and not self._ended and not now.brief
        if time.monotonic() - self._last >= _SECONDS_APART or is_over:
            self._last, self._ended = time.monotonic(), ends
            self._print(sentence(now, pace))

    def close(self) -> None:
        """Nothing is left to be done."""

    def _print(self, line: str) -> None:
        if sys.stderr is not None:
            sys.stderr.write(printable(line) + "\n")

"""The ready-made callback: it shows what it is called with."""

from __future__ import annotations

import sys
import threading
from typing import Protocol, Self

from penult.progress.notebook import Notebook, in_notebook
from penult.progress.pace import Pace
from penult.records import Progress

__all__ = ["Display", "on_terminal"]

_PATIENCE = 0.5  # seconds before there is a bar: what is over by then needs none

_free = threading.Lock()  # held by the display that is seen


class Display:
    """A callback that shows what it is told: a bar on a terminal or in a notebook, else lines.

    One is seen at a time; another that is opened meanwhile, in another thread or a loop that goes
    on, shows nothing. Close it, or use it in a ``with`` block::

        with Display() as display:
            penult.extract("photos", "features.h5", progress=display)
            penult.train("features.h5", progress=display)
    """

    def __init__(self) -> None:
        self._step: tuple[str, Pace] | None = None
        self._view: View | None = None
        self._seen = _free.acquire(blocking=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __call__(self, now: Progress) -> None:
        """Show where a run stands.

        Parameters
        ----------
        now : Progress
            Of any step; another ``stage`` than before begins a step.
        """
        if not self._seen:
            return
        if self._step is None or self._step[0] != now.stage:
            self._step = (now.stage, Pace(now))
        pace = self._step[1]
        pace.add(now)
        if self._view is None:
            self._view = _view(now, pace)
        if self._view is not None:
            self._view.show(now, pace)

    def close(self) -> None:
        """Take the bar away; in a notebook, a line is left."""
        if self._seen:
            self._seen = False
            _free.release()
            if self._view is not None:
                self._view.close()


class View(Protocol):
    """Where progress is seen."""

    def show(self, now: Progress, pace: Pace) -> None:
        """Show where a step stands."""

    def close(self) -> None:
        """Put an end to it."""


def on_terminal() -> bool:
    """Whether stderr is a terminal."""
    return sys.stderr is not None and sys.stderr.isatty()


def _view(now: Progress, pace: Pace) -> View | None:
    notebook = in_notebook()
    if not notebook and not on_terminal():
        from penult.progress.lines import Lines

        return Lines()
    if now.counted and pace.seconds < _PATIENCE:
        return None
    if notebook:
        return Notebook()
    from penult.progress.bar import Bar

    return Bar()

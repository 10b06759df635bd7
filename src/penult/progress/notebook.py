"""Progress in a notebook: one output that changes, and says at the end what was done."""

from __future__ import annotations

import html
import sys
import time
import warnings
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from penult.messages import printable
from penult.progress.pace import Pace, going_on, sentence
from penult.records import Progress

__all__ = ["Notebook", "in_notebook", "keep_tqdm_quiet"]

_SECONDS_APART = 0.2


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "kernel", None) is not None


def keep_tqdm_quiet() -> None:
    """Import tqdm in a notebook, so that nobody who imports it later warns that it has no widgets.

    Libraries of networks do, and draw bars of text without them, as penult needs none either.
    """
    if in_notebook() and find_spec("ipywidgets") is None and find_spec("tqdm") is not None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import_module("tqdm.auto")


class Notebook:
    """One output of the cell, by IPython's own means: no widgets are needed.

    It is text and HTML, replaced in place; of a finished notebook the last state is kept, a line a
    step.
    """

    def __init__(self) -> None:
        self._over: list[str] = []
        self._now: tuple[Progress, Pace] | None = None
        self._output: Any = None
        self._last = 0.0

    def show(self, now: Progress, pace: Pace) -> None:
        """Update the output, if it is time."""
        begins = self._now is None or self._now[0].stage != now.stage
        if begins:
            self._finish_step()
            if now.kept:
                self._over.append(going_on(now))
        self._now = (now, pace)
        if begins or now.done == now.total or time.monotonic() - self._last >= _SECONDS_APART:
            self._last = time.monotonic()
            self._update()

    def close(self) -> None:
        """Leave a line for each step."""
        self._finish_step()
        self._update()

    def _finish_step(self) -> None:
        if self._now is not None:
            now, pace = self._now
            if not now.counted:  # nothing was told since it began
                pace.add(now)
            took = f"{pace.seconds:,.1f} s"
            if now.counted or took != "0.0 s":
                self._over.append(f"{sentence(now, pace)}{', ' if now.counted else ': '}{took}")
            self._now = None

    def _update(self) -> None:
        lines = [printable(line) for line in self._over]
        page = "<br>".join(map(html.escape, lines))
        if self._now is not None:
            now, pace = self._now
            lines.append(printable(sentence(now, pace)))
            of = f' max="{now.total}" value="{now.done}"' if now.total else ""
            page += f"{'<br>' if page else ''}<progress{of}></progress> {html.escape(lines[-1])}"
        data = {"text/plain": "\n".join(lines), "text/html": f"<small>{page}</small>"}
        if self._output is None:
            display: Any = import_module("IPython.display").display
            self._output = display(data, raw=True, display_id=True)
        else:
            self._output.update(data, raw=True)

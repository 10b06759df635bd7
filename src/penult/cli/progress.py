"""How far a run is, on stderr: a bar on a terminal, else a line now and then."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from penult.cli.console import note

if TYPE_CHECKING:
    from penult.records import Progress

__all__ = ["progress", "stages"]


@contextmanager
def progress(
    what: str, *, unit: str = "images", quiet: bool = False
) -> Iterator[Callable[[Progress], None]]:
    """Yield a callback that shows how far a run is: a bar on a terminal, else a line now and then.

    A bar has the rate and the time left; lines come at most every ten seconds, so that a log of an
    overnight run stays short.
    """
    if quiet:
        yield lambda _progress: None
    elif sys.stderr.isatty():
        with _bar(what, unit) as update:
            yield update
    else:
        yield _lines(what, unit)


@contextmanager
def stages(*, quiet: bool = False) -> Iterator[Callable[..., Callable[[Progress], None]]]:
    """Yield a maker of `progress` callbacks for steps that come one after the other.

    Each step's bar is there from its first call to that of the next one.
    """
    with ExitStack() as shown:

        def stage(what: str, *, unit: str = "images") -> Callable[[Progress], None]:
            update: Callable[[Progress], None] | None = None

            def call(now: Progress) -> None:
                nonlocal update
                if update is None:
                    shown.close()
                    update = shown.enter_context(progress(what, unit=unit, quiet=quiet))
                update(now)

            return call

        yield stage


@contextmanager
def _bar(what: str, unit: str) -> Iterator[Callable[[Progress], None]]:
    from rich import progress as rp
    from rich.console import Console

    bar = rp.Progress(
        rp.TextColumn("{task.description}", markup=False),
        rp.BarColumn(),
        rp.MofNCompleteColumn(),
        rp.TextColumn("{task.fields[rate]}"),
        rp.TextColumn("{task.fields[failed]}", style="red"),
        rp.TimeRemainingColumn(compact=True, elapsed_when_finished=True),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task(what, total=None, rate="", failed="")
        speed = _Speed()

        def update(now: Progress) -> None:
            rate = speed.at(now.done)
            if bar.tasks[task].total is None and now.kept:
                bar.console.print(_going_on(what, unit, now), markup=False, highlight=False)
            bar.update(
                task,
                completed=now.done,
                total=now.total,
                rate=f"{rate:,.1f} {unit}/s" if rate else "",
                failed=f"{now.failed:,} failed" if now.failed else "",
            )

        yield update


def _lines(what: str, unit: str) -> Callable[[Progress], None]:
    speed, last, begun = _Speed(), time.monotonic(), False

    def update(now: Progress) -> None:
        nonlocal last, begun
        if not begun and now.kept:
            note(_going_on(what, unit, now))
        begun = True
        rate, moment = speed.at(now.done), time.monotonic()
        if moment - last < 10 and now.done != now.total:
            return
        last = moment
        text = f"{what}: {now.done:,}"
        if now.total is not None:
            text += f" of {now.total:,}"
        text += f" {unit}"
        if rate:
            text += f", {rate:,.1f} {unit}/s"
            if now.total is not None and now.done < now.total:
                text += f", {(now.total - now.done) / rate:,.0f} s left"
        if now.failed:
            text += f", {now.failed:,} failed"
        note(text)

    return update


def _going_on(what: str, unit: str, now: Progress) -> str:
    return f"{what}: going on where it stopped, {now.kept:,} of {now.total:,} {unit} are done"


class _Speed:
    """How many a second since the first call, so that loading a network does not count."""

    def __init__(self) -> None:
        self._start: tuple[int, float] | None = None

    def at(self, done: int) -> float:
        """The rate now, 0 where there is nothing to measure yet."""
        moment = time.monotonic()
        if self._start is None:
            self._start = (done, moment)
        first, start = self._start
        return (done - first) / (moment - start) if done > first else 0.0

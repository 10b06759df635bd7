"""Progress on a terminal: one bar, gone when it is over."""

from __future__ import annotations

import atexit

from penult.messages import printable
from penult.progress.pace import Pace, going_on, quantity, speed
from penult.records import Progress

__all__ = ["Bar"]


class Bar:
    """A bar on stderr with the rate and the time left."""

    def __init__(self) -> None:
        from rich import progress as rich
        from rich.console import Console

        self._bar = rich.Progress(
            rich.TextColumn("{task.description}", markup=False),
            rich.BarColumn(),
            rich.TextColumn("{task.fields[text]}", markup=False),
            rich.TextColumn("{task.fields[failed]}", style="red"),
            console=Console(stderr=True),
            transient=True,
        )
        self._stage: str | None = None
        self._bar.start()
        # A loop over predictions may be left and never closed; the terminal wants its cursor back.
        atexit.register(self._bar.stop)

    def show(self, now: Progress, pace: Pace) -> None:
        """Move the bar."""
        bar = self._bar
        if now.stage != self._stage:
            self._stage = now.stage
            for task in list(bar.task_ids):
                bar.remove_task(task)
            self._task = bar.add_task(printable(now.stage), total=None, text="", failed="")
            if now.kept:
                bar.console.print(printable(going_on(now)), markup=False, highlight=False)
        if not now.counted:
            return
        left = pace.seconds_left
        about = [quantity(now), speed(now, pace), "" if left is None else f"{_clock(left)} left"]
        bar.update(
            self._task,
            completed=now.done,
            total=now.total,
            text="  ".join(filter(None, about)),
            failed=f"{now.failed:,} failed" if now.failed else "",
        )

    def close(self) -> None:
        """Take the bar away."""
        self._bar.stop()
        atexit.unregister(self._bar.stop)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"

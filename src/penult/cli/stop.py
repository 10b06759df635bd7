"""Ctrl-C and SIGTERM end a run where nothing is lost, and say how to go on."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from penult.wording import count

if TYPE_CHECKING:
    from penult.records import Progress

__all__ = ["Stopped", "stoppable"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopped(BaseException):
    """A signal ended the run; no `Exception`, so that nothing on the way up takes it for one."""

    def __init__(
        self, signum: int, now: Progress | None, output: Path, *, staged: bool = False
    ) -> None:
        message = "stopped"
        parts = output.with_name(f"{output.name}.parts")
        if now is None:
            message += " before the first image"
            if parts.exists():
                message += f"; what is safe in {parts} stays there"
        elif staged and output.exists():
            message += f"; the rows are safe in {output}: the same command goes on from there"
        elif parts.exists():
            are = "is" if now.done == 1 else "are"
            message += f"; {now.done:,} of {count(now.total or 0, 'image')} {are} safe in {parts}: "
            message += "the same command goes on from there"
        super().__init__(message)
        self.exit_code = 128 + signum


@contextmanager
def stoppable(
    tell: Callable[[Progress], None], output: Path, *, staged: bool = False
) -> Iterator[Callable[[Progress], None]]:
    """Yield a progress callback that makes signals end the extraction into `output` in order.

    From the first image to the last, the first signal lets the batch in hand be done, and a second
    one ends the process. Before, there is nothing to lose, and after, all is safe already: there
    the first one ends the run.

    Parameters
    ----------
    tell : what else is called
    output : the feature file
    staged : whether it is only a step of the run, which goes on from it where it is there
    """
    latest: list[Progress] = []
    asked: list[int] = []
    before: dict[int, Any] = {}

    def stop(signum: int, _frame: FrameType | None) -> None:
        now = latest[-1] if latest else None
        if asked:
            if sys.stderr.isatty():
                os.write(2, b"\x1b[?25h")  # the cursor, which a progress bar hides
            os._exit(128 + signum)
        asked.append(signum)
        if now is None or now.done == now.total:
            raise Stopped(signum, now, output, staged=staged)
        os.write(2, b"penult: stopping after the batch in hand; once more stops at once\n")

    def update(now: Progress) -> None:
        if now.stage != "extract":
            tell(now)
            return
        latest[:] = [now]
        tell(now)
        if asked:
            raise Stopped(asked[0], now, output, staged=staged)

    before.update({signum: signal.signal(signum, stop) for signum in _SIGNALS})
    try:
        yield update
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)

"""Ctrl-C, SIGTERM and SIGHUP end a run where nothing is lost, and say how to go on.

A signal that the shell has set to be ignored (SIGINT in the background of a script, SIGHUP by
``nohup``) stays ignored.
"""

from __future__ import annotations

import _thread
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from penult.addresses import unfolded
from penult.errors import PenultError
from penult.suffixes import ROWS_FOLDER
from penult.wording import count

if TYPE_CHECKING:
    from penult.records import Progress

__all__ = ["Stopped", "resumable", "stoppable", "stopped_by_signals"]

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")  # of which Windows lacks the last
_SIGNALS = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]


class Stopped(BaseException):
    """A signal ended the run; no `Exception`, so that nothing on the way up takes it for one."""

    def __init__(self, signum: int, where: str = "") -> None:
        super().__init__(f"stopped{where}")
        self.exit_code = 128 + signum


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Have the first signal raise `Stopped`, and a second one end the process."""

    def stop(signum: int, _frame: FrameType | None) -> None:
        asked.append(signum)
        if len(asked) > 1:
            _end(signum)
        raise Stopped(signum)

    asked: list[int] = []
    with _handled_by(stop, asked):
        yield


@contextmanager
def resumable(folder: Path, *, again: str = "the same command") -> Iterator[None]:
    """Have `Stopped` say that what is finished is kept in a folder, if it is there.

    Parameters
    ----------
    folder : where it is kept
    again : what goes on from there
    """
    try:
        yield
    except Stopped as stopped:
        if not folder.is_dir():
            raise
        where = f"; what is finished is kept in {folder}: {again} goes on from there"
        raise Stopped(stopped.exit_code - 128, where) from None


@contextmanager
def stoppable(
    tell: Callable[[Progress], None],
    output: Path,
    *,
    staged: bool = False,
    part_images: int | None = None,
) -> Iterator[Callable[[Progress], None]]:
    """Yield a progress callback that makes signals end the extraction into `output` in order.

    From the first image to the last, the first signal lets the batch in hand be done, and a second
    one ends the process. Before, there is nothing to lose, and after, all is safe already: there
    the first one ends the run.

    Parameters
    ----------
    tell : what else is called
    output : the feature file, or the folder of rows
    staged : whether it is only a step of the run, which goes on from it where it is there
    part_images : images a part of a folder of rows, where they were given
    """
    latest: list[Progress] = []
    asked: list[int] = []

    def stop(signum: int, _frame: FrameType | None) -> None:
        if asked:
            _end(signum)
        asked.append(signum)
        if not latest or latest[-1].done == latest[-1].total:
            raise Stopped(signum)
        _tell_stderr(b"penult: stopping after the batch in hand; once more stops at once\n")

    def update(now: Progress) -> None:
        if now.stage != "extract":
            tell(now)
            return
        latest[:] = [now]
        tell(now)
        if asked:
            raise Stopped(asked[0])

    with _handled_by(stop, asked):
        try:
            yield update
        except Stopped as stopped:  # only here is it known what the run has left
            now = latest[-1] if latest else None
            if (address := unfolded(output)).endswith(ROWS_FOLDER.suffixes):
                where = _where_of_parts(now, output, address, part_images)
            else:
                where = _where(now, output, staged=staged)
            raise Stopped(stopped.exit_code - 128, where) from None


def _where(now: Progress | None, output: Path, *, staged: bool) -> str:
    """Say how far the run was, and how it goes on."""
    parts = output.with_name(f"{output.name}.parts")
    if now is None:
        stays = f"; what is safe in {parts} stays there" * parts.exists()
        return f" before the first image{stays}"
    if staged and output.exists():
        return f"; the rows are safe in {output}: the same command goes on from there"
    if parts.exists():
        are = "is" if now.done == 1 else "are"
        return (
            f"; {now.done:,} of {count(now.total or 0, 'image')} {are} safe in {parts}: "
            "the same command goes on from there"
        )
    return ""


def _where_of_parts(
    now: Progress | None, output: Path, address: str, part_images: int | None
) -> str:
    """Say which parts of a folder of rows are done, and how it goes on."""
    from penult.distributed import Target
    from penult.features.parts.header import PART_IMAGES

    try:
        target = Target.of(output)
        left, whole = target.unfinished(), target.exists()
    except PenultError:  # a store that cannot be reached any more
        return (
            f"; parts that are finished are kept in {address}: the same command goes on from them"
        )
    done = [] if left is None else [entry.images for entry in left[1].values()]
    if now is None:
        return " before the first image" + f"; what is safe in {address} stays there" * bool(done)
    if done:
        are = "is" if sum(done) == 1 else "are"
        return (
            f"; {sum(done):,} of {count(now.total or 0, 'image')} {are} safe in {address}, in "
            f"{count(len(done), 'part')}: the same command goes on from there"
        )
    if left is None and whole:
        return ""  # it was finished
    chosen = part_images if left is None else left[0].options.get("part_images")
    size = chosen if isinstance(chosen, int) else PART_IMAGES
    return (
        f"; no part of {count(min(size, now.total or size), 'image')} was finished yet, so nothing "
        "of this run is kept; with smaller parts, less is lost: --part-images"
    )


@contextmanager
def _handled_by(stop: Callable[[int, FrameType | None], None], asked: list[int]) -> Iterator[None]:
    """Have a function called at every signal that is not ignored.

    Parameters
    ----------
    stop : called
    asked : the signals that it has taken; emptied where what it raised came to nothing
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # Python hands signals to the main thread alone
        return
    before = {one: signal.getsignal(one) for one in _SIGNALS}
    taken = [one for one, handler in before.items() if handler not in (signal.SIG_IGN, None)]
    for signum in taken:
        signal.signal(signum, stop)
    try:
        with _raised_again(asked):
            yield
    finally:
        for signum in taken:
            signal.signal(signum, before[signum])


@contextmanager
def _raised_again(asked: list[int]) -> Iterator[None]:
    """Have a signal come once more where Python throws away what its handler raised.

    That is so in ``__del__``, and in what is called when an object of a weak reference is gone:
    wherever the collection of garbage begins, that is.
    """
    before = sys.unraisablehook

    def hook(lost: sys.UnraisableHookArgs) -> None:
        if not isinstance(lost.exc_value, Stopped):
            before(lost)
            return
        asked.clear()
        signum = lost.exc_value.exit_code - 128
        # A moment later, for it would be lost here, too.
        again = threading.Timer(0.02, _thread.interrupt_main, (signum,))
        again.daemon = True
        again.start()

    sys.unraisablehook = hook
    try:
        yield
    finally:
        sys.unraisablehook = before


def _end(signum: int) -> None:
    if sys.stderr.isatty():
        _tell_stderr(b"\x1b[?25h")  # the cursor, which a progress bar hides
    os._exit(128 + signum)


def _tell_stderr(data: bytes) -> None:
    with suppress(OSError):  # a terminal that was closed
        os.write(2, data)

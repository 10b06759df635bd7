"""From what a caller wished to what a function tells of its progress."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from penult.errors import UsageError
from penult.progress.display import Display, on_terminal
from penult.progress.notebook import in_notebook
from penult.records import Progress
from penult.representation import what_given

__all__ = [
    "ShowProgress",
    "Tell",
    "announce",
    "announcing",
    "announcing_late",
    "following",
    "is_watched",
    "shown",
]

Tell = Callable[[Progress], None]

ShowProgress = bool | Tell | None
"""Whether progress is shown, or a function that is called instead; None: where somebody looks."""

_SECONDS = 3  # how long it may be silent

_told: ContextVar[Tell | None] = ContextVar("penult_progress", default=None)


@contextmanager
def shown(progress: ShowProgress) -> Iterator[Tell]:
    """Yield what is to be called with each `Progress`.

    A function that is called by another of penult tells what that one tells, unless asked
    otherwise.
    """
    if progress is not None and not isinstance(progress, bool) and not callable(progress):
        raise UsageError(
            f"progress is {what_given(progress)}; give True, False, or a function that takes a "
            "Progress"
        )
    outer = _told.get()
    if callable(progress):
        yield progress
    elif progress is None and outer is not None:
        yield outer
    elif not _is_silenced() and (progress or (progress is None and is_watched())):
        with Display() as display:
            yield display
    else:
        yield _silent


@contextmanager
def announcing(tell: Tell) -> Iterator[None]:
    """Have `announce` tell it, too, until the block ends; there must be no `yield` in the block."""
    token = _told.set(tell)
    try:
        yield
    finally:
        _told.reset(token)


@contextmanager
def following(progress: ShowProgress) -> Iterator[Tell]:
    """Do as `shown` and `announcing` do, for all that a function calls; for no generator."""
    with shown(progress) as tell, announcing(tell):
        yield tell


def announce(stage: str, *, brief: bool = False) -> None:
    """Say what begins now, and cannot be counted, to whoever follows.

    Parameters
    ----------
    stage : str
        What is done now, in words.
    brief : bool
        Whether it takes a few seconds at most, and is worth no line of a log.
    """
    tell = _told.get()
    if tell is not None:
        tell(Progress(0, None, 0, stage=stage, unit="", brief=brief))


def announcing_late(
    stage: str | Callable[[], str], total: int | None, unit: str = "rows"
) -> Callable[[int], None]:
    """Return what is told how many are done, and says so once that has taken some seconds.

    What is mostly over at once needs no word of it. In a log it is a line now and then, and none
    at its end.

    Parameters
    ----------
    stage : str or callable
        What is done now, in words, or what returns them.
    total : int or None
        How many there are, if that is known.
    unit : str
        What they are.
    """
    tell, begun = _told.get(), time.monotonic()

    def count(done: int) -> None:
        if tell is not None and time.monotonic() - begun > _SECONDS:
            said = stage if isinstance(stage, str) else stage()
            tell(Progress(done, total, 0, stage=said, unit=unit, brief=True))

    return count


def is_watched() -> bool:
    """Whether somebody looks: at a terminal or a notebook, and not at one of many threads."""
    if threading.current_thread() is not threading.main_thread():
        return False
    return in_notebook() or on_terminal()


def _is_silenced() -> bool:
    return os.environ.get("PENULT_PROGRESS", "").lower() in ("0", "no", "off", "false")


def _silent(_progress: Progress) -> None:
    pass

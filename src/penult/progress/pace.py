"""How fast a step goes, and how it is said in words."""

from __future__ import annotations

import time
from collections.abc import Callable

from penult.records import Progress
from penult.wording import count

__all__ = ["Pace", "going_on", "quantity", "sentence"]

_SINGULAR = {"queries": "query"}  # where it is not what stands before an s
_LEAST_SECONDS = 0.5  # with less behind it, a rate is noise


class Pace:
    """The rate of one step, from its first call on, so that loading a network does not count.

    What was taken over from an earlier run, or from a file that is updated, was not done now: the
    rate does not count it either.

    Parameters
    ----------
    first : Progress
        With which the step begins.
    clock : callable
        Seconds.
    """

    def __init__(self, first: Progress, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._start = clock, clock()
        self._first = self._now = first
        self.seconds = 0.0

    def add(self, now: Progress) -> None:
        """Take note of where the step stands now."""
        self._now, self.seconds = now, self._clock() - self._start

    @property
    def rate(self) -> float:
        """Done a second; 0 where there is nothing to measure yet."""
        before, now = self._first, self._now
        done = (now.done - now.kept) - (before.done - before.kept)
        return done / self.seconds if done > 0 and self.seconds >= _LEAST_SECONDS else 0.0

    @property
    def seconds_left(self) -> float | None:
        """None where nothing says how long it will take."""
        now, passed = self._now, self._now.done - self._first.done
        if now.total is None or now.done >= now.total or not self.rate:
            return None
        return (now.total - now.done) * self.seconds / passed


def quantity(now: Progress) -> str:
    """Say how much is done: ``120 of 1,360 images``."""
    if now.unit == "bytes":
        of = "" if now.total is None else f" of {now.total / 1e6:,.1f}"
        return f"{now.done / 1e6:,.1f}{of} MB"
    of = "" if now.total is None else f"{now.done:,} of "
    last = now.done if now.total is None else now.total
    return of + count(last, _SINGULAR.get(now.unit, now.unit.removesuffix("s")), now.unit)


def speed(now: Progress, pace: Pace) -> str:
    """Say the rate: ``110.3 images/s``; nothing where there is none."""
    if not pace.rate:
        return ""
    if now.unit == "bytes":
        return f"{pace.rate / 1e6:,.1f} MB/s"
    return f"{pace.rate:,.1f} {now.unit}/s"


def sentence(now: Progress, pace: Pace) -> str:
    """Say it all in one line."""
    if not now.counted:
        return now.stage
    parts = [f"{now.stage}: {quantity(now)}", speed(now, pace)]
    if pace.seconds_left is not None:
        parts.append(f"{pace.seconds_left:,.0f} s left")
    if now.failed:
        parts.append(f"{now.failed:,} failed")
    return ", ".join(filter(None, parts))


def going_on(now: Progress) -> str:
    """Say that an interrupted run is gone on with."""
    of = "" if now.total is None else f" of {now.total:,}"
    return f"{now.stage}: going on where it stopped, {now.kept:,}{of} {now.unit} are done"

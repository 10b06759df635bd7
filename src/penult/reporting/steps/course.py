"""How a report goes: who is told, how long each step takes, and what could not be had."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from penult.errors import SearchError, TrainingError, UsageError
from penult.progress import Tell

__all__ = ["Course"]


@dataclass(frozen=True)
class Course:
    """How a report goes.

    Attributes
    ----------
    tell : callable
        Called with a `Progress`.
    seconds : dict of str to float
        Step to its duration.
    notes : dict of str to str
        Section to the reason why it has nothing to show.
    """

    tell: Tell
    seconds: dict[str, float] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Note how long a step takes."""
        start = time.perf_counter()
        yield
        self.seconds[step] = time.perf_counter() - start

    @contextmanager
    def noted(self, section: str, step: str | None = None) -> Iterator[None]:
        """Note how long it takes, or why it cannot be had; the rest of the page stands."""
        try:
            with self.timed(step or section):
                yield
        except (SearchError, TrainingError, UsageError) as error:
            self.notes[section] = str(error)

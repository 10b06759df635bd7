"""An image without a row, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from penult.representation import short_repr, short_text
from penult.wording import count

__all__ = ["MISSING", "Failure", "failure_counts", "missing_message", "unread_and_missing"]

MISSING = "but there is no such image"
"""How the reason ends where a table of labels names an image that is not there."""


@short_repr
@dataclass(frozen=True)
class Failure:
    """An image that could not become a row.

    Attributes
    ----------
    id : str
        The image's id.
    reason : str
        Why, in one line.
    """

    id: str
    reason: str

    @property
    def is_missing(self) -> bool:
        """Whether there is no image: a table of labels names it, and nothing could be read."""
        return self.reason.endswith(MISSING)

    @property
    def line(self) -> str:
        """Both in one line, of which neither is longer than can be read."""
        return f"{short_text(self.id, 200)}: {short_text(self.reason, 600)}"


def unread_and_missing(failures: Sequence[Failure]) -> tuple[list[Failure], list[Failure]]:
    """Divide them into images that could not be read and what only a table of labels names."""
    unread = [failure for failure in failures if not failure.is_missing]
    return unread, [failure for failure in failures if failure.is_missing]


def missing_message(missing: Sequence[Failure]) -> str:
    """Say of how many images only a table of labels knows."""
    are = "is" if len(missing) == 1 else "are"
    return f"{count(len(missing), 'image')} of the table of labels {are} not there"


def failure_counts(failures: Sequence[Failure], total: int | None = None) -> list[str]:
    """Say how many there are of each kind.

    Parameters
    ----------
    failures : sequence of Failure
    total : int, optional
        Images in all, the missing ones included.

    Returns
    -------
    list of str
        Clauses, of which each can begin a sentence; none where there are no failures.
    """
    unread, missing = unread_and_missing(failures)
    found = count(len(unread), "image")
    if total is not None:
        found = f"{len(unread):,} of {count(total - len(missing), 'image')}"
    said = [f"{found} could not be read"] if unread else []
    return said + ([missing_message(missing)] if missing else [])

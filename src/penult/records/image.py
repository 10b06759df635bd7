"""One image that may become a row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from penult.representation import short_repr

__all__ = ["ImageRecord"]


@short_repr
@dataclass(frozen=True, slots=True)
class ImageRecord:
    """One image that may become a row: where it is, and what is known of it.

    Attributes
    ----------
    id : str
        Path relative to the source, POSIX separators; unique in its listing.
    open : callable
        Opens the image's bytes for reading, from any thread. That of a listing can be pickled, and
        opens what it needs in the process that calls it; relative paths stay relative.
    labels : tuple of str
        None, one, or several (multi-label).
    split : {"train", "validation", "test"} or None
        None where the source does not say.
    group : str or None
        Rows of one group never straddle a split; None where each row stands alone.
    path : Path or None
        The file itself, where there is one.
    stamp : JSON-like
        Where there is no file, what tells cheaply that the image is still the same.
    named_in : str or None
        The CSV file that names the image, where one does.
    """

    id: str
    open: Callable[[], BinaryIO] = field(compare=False, repr=False)
    labels: tuple[str, ...] = ()
    split: str | None = None
    group: str | None = None
    path: Path | None = None
    stamp: Any = field(default=None, compare=False, repr=False)
    named_in: str | None = field(default=None, compare=False, repr=False)

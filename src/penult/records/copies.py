"""Where photos went that were sorted into folders, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from penult.records.failure import Failure
from penult.representation import short_repr

__all__ = ["Copied", "MovedBack"]


@short_repr
@dataclass(frozen=True, kw_only=True)
class Copied:
    """Where an image was copied, linked or moved to.

    Attributes
    ----------
    path : Path
        Of the copy.
    new : bool
        Whether it was made now; the same image may have been there before.
    renamed : bool
        Whether it has a number in its name, another image having the name.
    """

    path: Path
    new: bool
    renamed: bool


@short_repr
@dataclass(frozen=True, kw_only=True)
class MovedBack:
    """What became of photos that were moved into folders, when they were to go back.

    Attributes
    ----------
    photos : int
        How many are back.
    failures : tuple of Failure
        Those that are not, by where they were moved to, and why.
    """

    photos: int
    failures: tuple[Failure, ...] = ()

"""What the page of duplicates is made from."""

from __future__ import annotations

from dataclasses import dataclass

from penult.records import Duplicates

__all__ = ["DuplicatesContent"]


@dataclass(frozen=True, kw_only=True)
class DuplicatesContent:
    """What the page of duplicates is made from.

    Attributes
    ----------
    duplicates : Duplicates
        What was found.
    title : str
        The page's heading, the feature file's name.
    file : str
        The feature file, as it is typed in a command.
    page : str
        The page itself, likewise.
    """

    duplicates: Duplicates
    title: str
    file: str
    page: str

"""A pattern that takes some layers where all would be too many."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

__all__ = ["pattern_of_some"]

_A_DOT = 2
"""Layers that one level less is worth: blocks come before what is in them."""


def pattern_of_some(
    names: Sequence[str], there: Sequence[str], most: int
) -> tuple[str, int] | None:
    """Find a glob that takes several layers, but not too many.

    Parameters
    ----------
    names : sequence of str
        Layers, of which some are to be taken.
    there : sequence of str
        All layers that a glob may take.
    most : int
        How many at most.

    Returns
    -------
    (str, int) or None
        The glob, such as ``"blocks.?"``, and how many layers it takes. Layers that are in no
        other are preferred to those within them. None where no digit of a name can stand for
        others.
    """
    best: tuple[int, str, int] | None = None
    for pattern in dict.fromkeys(one for name in names for one in _patterns(name)):
        many = sum(fnmatchcase(name, pattern) for name in there)
        worth = many - _A_DOT * pattern.count(".")
        if 2 <= many <= most and (best is None or worth > best[0]):
            best = worth, pattern, many
    return None if best is None else best[1:]


def _patterns(name: str) -> Iterator[str]:
    """The name with one of its digits, or every other one, left open."""
    for digit in re.finditer(r"\d", name):
        for sign in ("?", "[02468]"):
            yield name[: digit.start()] + sign + name[digit.end() :]

"""Names that are spelled like another one, the likeliest first."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

__all__ = ["closest", "in_other_case", "likely_meant"]

_LETTERS_A_TYPO = 4
_DIGITS = re.compile(r"\d")


def closest(name: str, known: Iterable[str], most: int = 3) -> list[str]:
    """The names that were likely meant, best first, without those that are much less like it.

    Parameters
    ----------
    name : str
        As it was typed.
    known : iterable of str
        The names that there are; case does not count.
    most : int
        How many to return.
    """
    by_lower = {one.lower(): one for one in known}
    name = name.lower()
    found = get_close_matches(name, by_lower, n=2 * most, cutoff=0.6)
    steps = {one: _typos(name, one) for one in found}
    fewest = min(steps.values(), default=0)
    likely = [one for one in found if steps[one] < max(2 * fewest, 1)]
    likely.sort(key=steps.__getitem__)
    return [by_lower[one] for one in likely[:most]]


def likely_meant(name: str, known: Iterable[str]) -> str | None:
    """The known name that a new one is likely a misspelling of; None where it is a name of its own.

    `closest` is for a name that is wrong in any case; this one is for a name that may be right:
    ``bat`` is no ``cat``, and ``type 2`` no ``type 1``.

    Parameters
    ----------
    name : str
        As it was typed.
    known : iterable of str
        The names that there are; case does not count.
    """
    for one in closest(name, known, 1):
        is_other_number = _DIGITS.sub("", name) == _DIGITS.sub("", one)
        typos = _typos(name.lower(), one.lower())
        if typos <= len(name) // _LETTERS_A_TYPO and not is_other_number:
            return one
    return None


def in_other_case(names: Iterable[str], known: Iterable[str]) -> dict[str, str]:
    """Those of some names that differ from a known one in capitals alone, and which that is.

    Parameters
    ----------
    names : iterable of str
        As they were typed.
    known : iterable of str
        The names that there are; only gone through where it has to be.
    """
    folded: dict[str, list[str]] = {}
    for name in names:
        folded.setdefault(name.casefold(), []).append(name)
    found: dict[str, str] = {}
    for one in known if folded else ():
        for name in folded.get(one.casefold(), ()):
            if name != one:
                found.setdefault(name, one)
    return found


def _typos(a: str, b: str) -> int:
    """How many letters to put in, leave out, replace, or swap with the next, from one to another.

    The optimal string alignment distance: difflib takes two letters that were swapped for a letter
    that is missing and another that is too many.
    """
    two_back: list[int] = []
    last = list(range(len(b) + 1))
    for i in range(1, len(a) + 1):
        now = [i]
        for j in range(1, len(b) + 1):
            cost = min(last[j] + 1, now[-1] + 1, last[j - 1] + (a[i - 1] != b[j - 1]))
            if i > 1 and j > 1 and a[i - 1] == b[j - 2] and a[i - 2] == b[j - 1]:
                cost = min(cost, two_back[j - 2] + 1)
            now.append(cost)
        two_back, last = last, now
    return last[-1]

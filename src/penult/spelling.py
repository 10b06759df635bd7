"""Names that are spelled like another one, the likeliest first."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from functools import lru_cache

__all__ = ["closest", "in_other_case", "likely_meant"]

_LETTERS_A_TYPO = 4
_TIMES = 4  # that a letter is counted, so that a long name takes no more than a short one
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
    known = list(known)
    # `closest` compares with all of them, which takes a hundred times as long as their letters.
    if all(_is_other_number(name, one) for one in _with_such_letters(name, known)):
        return None
    for one in closest(name, known, 1):
        few = len(name) // _LETTERS_A_TYPO
        if not _is_other_number(name, one) and _typos(name.lower(), one.lower()) <= few:
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


def _is_other_number(name: str, known: str) -> bool:
    return _DIGITS.sub("", name) == _DIGITS.sub("", known)


def _with_such_letters(name: str, known: Iterable[str]) -> Iterator[str]:
    """Those of the known names whose letters, in whatever order, may be those of few typos."""
    most, letters = len(name) // _LETTERS_A_TYPO, _letters(name)
    for one in known:
        theirs = _letters(one)
        # A typo brings one letter at most, and takes one at most.
        if (letters & ~theirs).bit_count() <= most and (theirs & ~letters).bit_count() <= most:
            yield one


@lru_cache(maxsize=1 << 14)
def _letters(name: str) -> int:
    """The letters of a name, without their case and order: a bit for each, up to four times.

    Some characters share their bits, so that two names may have the same.
    """
    found = 0
    for letter in name.lower():
        bits = (1 << ord(letter) % 64 + 64 * time for time in range(_TIMES))
        found |= next((bit for bit in bits if not found & bit), 0)
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

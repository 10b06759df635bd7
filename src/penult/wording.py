"""Numbers, shares and lists as a sentence has them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from unicodedata import category

__all__ = [
    "article",
    "beginning",
    "count",
    "form",
    "interval",
    "listed",
    "no_estimate",
    "params_in_words",
    "percent",
    "points",
    "probability",
    "put_there",
    "ratio",
    "shorten",
    "unlike_line",
]

_END = 6  # characters that a shortened name keeps of either end, whatever else it shows


def count(number: int, noun: str = "", nouns: str = "") -> str:
    """Write a number with its noun in the right form.

    Parameters
    ----------
    number : int
        How many.
    noun : str
        Of one; without it, the number alone.
    nouns : str
        Of several, where that is not the noun and an s, or es.

    Examples
    --------
    >>> count(1_360), count(1, "image"), count(1_360, "image"), count(2, "class")
    ('1,360', '1 image', '1,360 images', '2 classes')
    """
    return f"{number:,} {form(number, noun, nouns)}" if noun else f"{number:,}"


def form(number: int, one: str, several: str = "") -> str:
    """Give a word the form for a number that stands elsewhere.

    Parameters
    ----------
    number : int
        How many.
    one : str
        For one.
    several : str
        For all other numbers, where that is not the word and an s, or es.

    Examples
    --------
    >>> form(1, "pair"), form(0, "pair"), form(1, "is", "are")
    ('pair', 'pairs', 'is')
    """
    if number == 1:
        return one
    return several or (f"{one}es" if one.endswith(("s", "x", "ch", "sh")) else f"{one}s")


def put_there(told: Sequence[str], there_already: int) -> str:
    """Say what photos were put into a folder, and how much of it was there already.

    Parameters
    ----------
    told : sequence of str
        What is new.
    there_already : int
        How many were there.

    Examples
    --------
    >>> put_there(["2 photos put into it"], 1)
    '2 photos put into it, 1 photo was there already'
    >>> put_there([], 200), put_there([], 0)
    ('0 new, 200 photos were there already', 'no photo to put there')
    """
    if not there_already:
        return ", ".join(told) or "no photo to put there"
    were = "was" if there_already == 1 else "were"
    return ", ".join(
        [*(told or ["0 new"]), f"{count(there_already, 'photo')} {were} there already"]
    )


def no_estimate(trained: int, total: int, noun: str, nouns: str = "") -> str:
    """Say how many of some images trained the network that they are scored with.

    Examples
    --------
    >>> no_estimate(24, 30, "held-out image")
    '24 of 30 held-out images trained the network itself, so this is no estimate for new ones'
    """
    some = "all" if trained == total else f"{trained:,}"
    return (
        f"{some} of {count(total, noun, nouns)} trained the network itself, so this is no estimate "
        "for new ones"
    )


def times(shape: Iterable[int]) -> str:
    """Write a shape.

    Examples
    --------
    >>> times((1_360, 1_280))
    '1,360 × 1,280'
    """
    return " × ".join(f"{size:,}" for size in shape)


def article(noun: str) -> str:
    """Put "a" or "an" before a noun, by its first letter.

    Examples
    --------
    >>> article("float32 array"), article("int")
    ('a float32 array', 'an int')
    """
    return f"{'an' if noun[:1] in 'aeio' else 'a'} {noun}"


def percent(share: float, digits: int = 1) -> str:
    """A share in [0, 1] as a percentage that says 100 or 0 only where that is exact."""
    step = 10.0**-digits
    value = round(100 * share, digits)
    if share < 1:
        value = min(value, 100 - step)
    if share > 0:
        value = max(value, step)
    return f"{int(value)}%" if value in (0, 100) else f"{value:.{digits}f}%"


def probability(share: float) -> str:
    """A probability in whole percents, and by tenths near 0 and 1, where most of them are.

    Examples
    --------
    >>> probability(0.873), probability(0.9974), probability(0.99999), probability(1)
    ('87%', '99.7%', '99.9%', '100%')
    """
    return percent(share, 0 if 0.01 <= share < 0.99 else 1)


def points(difference: float, digits: int = 1) -> str:
    """A difference of two shares in percentage points, without their name; no zero has a sign.

    Examples
    --------
    >>> points(0.0413), points(-0.009), points(-0.0001)
    ('4.1', '-0.9', '0.0')
    """
    return f"{round(100 * difference, digits) + 0.0:.{digits}f}"


def p_value(value: float) -> str:
    """A p-value with its name.

    Examples
    --------
    >>> p_value(0.0312), p_value(1.0), p_value(1e-12)
    ('p = 0.031', 'p = 1', 'p < 0.001')
    """
    return "p < 0.001" if value < 0.001 else f"p = {value:.2g}"


def ratio(value: float, digits: int = 2) -> str:
    """Decimals, as the field prints precision and recall; 1 only where that is exact."""
    below = 1 - 10.0**-digits
    return f"{min(value, below) if value < 1 else value:.{digits}f}"


def interval(ends: tuple[float, float]) -> str:
    """Both ends of an interval of shares."""
    return f"{percent(ends[0])} to {percent(ends[1])}"


def listed(names: Iterable[str], most: int = 8) -> str:
    """The first few of many names, and how many more there are.

    Examples
    --------
    >>> listed(["a", "b"]), listed("abcdefghij", most=3)
    ('a, b', 'a, b, c and 7 more')
    """
    every = list(names)
    more = f" and {len(every) - most:,} more" if len(every) > most else ""
    return ", ".join(every[:most]) + more


def shorten(names: Sequence[str], longest: int) -> list[str]:
    """Fit names into a width so that different names stay different.

    A long name loses its middle. Where several would lose what tells them apart, they keep that
    in place of most of their ends.

    Parameters
    ----------
    names : sequence of str
        Of one axis, or one table.
    longest : int
        Characters of a name; at least 20.

    Returns
    -------
    list of str
        One for each of the names, in their order.

    Examples
    --------
    >>> shorten(["the one that was found in May and kept", "short"], 21)
    ['the one th…y and kept', 'short']
    """
    shown = [_without_middle(name, longest) for name in names]
    pending, deepest = True, max(map(len, names), default=0)
    for _ in range(deepest):
        if not pending:
            break
        pending = False
        for places in _alike(names, shown):
            start = _first_difference([names[k] for k in places])
            for k in places:
                again = _around(names[k], start, longest)
                pending |= again != shown[k]
                shown[k] = again
    for places in _alike(names, shown):  # they differ in more places than there is room for
        for k in places:
            number = f" ({k + 1})"
            shown[k] = _without_middle(names[k], longest - len(number)) + number
    return shown


def _without_middle(name: str, longest: int) -> str:
    if len(name) <= longest:
        return name
    half = (longest - 1) // 2
    return f"{name[:half].rstrip()}…{_without_marks(name[-half:])}"


def _without_marks(end: str) -> str:
    """Leave out accents and blanks that a cut has parted from their letter."""
    while end and (end[0].isspace() or category(end[0]) in ("Mn", "Mc", "Me", "Cf")):
        end = end[1:]
    return end


def _around(name: str, start: int, longest: int) -> str:
    """Both ends of a name, and what begins at `start`, which is far from both."""
    if len(name) <= longest:
        return name
    room = longest - 2 * _END - 2
    start = min(max(start - 2, _END), len(name) - _END - room)
    middle = name[start : start + room]
    head = name[:_END] + ("…" if start > _END else "")
    tail = ("…" if start + room < len(name) - _END else "") + name[-_END:]
    return head + middle + tail


def _first_difference(names: Sequence[str]) -> int:
    pairs = enumerate(zip(*names, strict=False))
    return next((k for k, each in pairs if len(set(each)) > 1), min(map(len, names)))


def _alike(names: Sequence[str], shown: Sequence[str]) -> list[list[int]]:
    """Places of different names that look the same."""
    found = defaultdict[str, list[int]](list)
    for place, name in enumerate(shown):
        found[name].append(place)
    return [places for places in found.values() if len({names[k] for k in places}) > 1]


def params_in_words(params: Mapping[str, Any]) -> str:
    """Write parameters as a sentence has them: ``C=10, weights=uniform``."""
    return ", ".join(
        f"{name}={value:g}" if isinstance(value, int | float) else f"{name}={value}"
        for name, value in params.items()
    )


def unlike_line(unlike: int, total: int) -> str:
    """Say how many images belong to no class, as far as can be seen."""
    return (
        f"{unlike:,} of {total:,} are unlike anything that the classifier was trained on; what "
        "it says of them is no more than a guess"
    )


def beginning(data: bytes) -> str:
    """Say what a file begins with, so that somebody may recognise it.

    Examples
    --------
    >>> beginning(b"<!DOCTYPE html><html>")
    "it begins with the text '<!DOCTYPE ht'"
    >>> beginning(b"\\0\\x01\\xff")
    'it begins with the bytes 00 01 ff'
    >>> beginning(bytes(40))
    'it is 40 bytes of zeros'
    """
    text = data[:12].decode("latin-1").strip()
    if text and text.isascii() and text.isprintable():
        return f"it begins with the text {text!r}"
    if not data.strip(b"\0"):
        return f"it is {count(len(data), 'byte')} of zeros"
    return f"it begins with the bytes {data[:12].hex(' ')}"

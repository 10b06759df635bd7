"""Times, sizes and prices as a table has them."""

from __future__ import annotations

from math import floor, log10

__all__ = ["duration", "large", "price", "size"]

_UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB", "EB")


def duration(seconds: float) -> str:
    """Write a time with three digits or so, in the unit that suits it.

    Examples
    --------
    >>> duration(0.25), duration(42), duration(90), duration(5400), duration(400_000)
    ('0.2 s', '42 s', '1.5 min', '1.5 h', '4.6 days')
    >>> duration(3e9)
    '95 years'
    """
    for limit, unit, word in (
        (60, 1, "s"),
        (3600, 60, "min"),
        (48 * 3600, 3600, "h"),
        (1000 * 86_400, 86_400, "days"),
    ):
        if seconds < limit:
            return f"{large(seconds / unit)} {word}"
    return f"{large(seconds / (365.25 * 86_400))} years"


def large(number: float) -> str:
    """Write a number with one decimal where it is small.

    Examples
    --------
    >>> large(4.16), large(41.6), large(41_600.0)
    ('4.2', '42', '41,600')
    """
    return f"{number:,.1f}" if number < 9.95 else f"{number:,.0f}"


def price(amount: float) -> str:
    """Write an amount of money, below 1 with two significant digits.

    Examples
    --------
    >>> price(41.6), price(4.16), price(0.416), price(0.000416)
    ('42', '4.2', '0.42', '0.00042')
    """
    if not 0 < amount < 1:
        return large(amount)
    return f"{amount:.{1 - floor(log10(amount))}f}"


def size(nbytes: float) -> str:
    """Write a number of bytes; a kilobyte has 1,000.

    Examples
    --------
    >>> size(300), size(5_120), size(21e6), size(5.12e12)
    ('300 bytes', '5.1 kB', '21 MB', '5.1 TB')
    """
    power = 0
    while nbytes >= 999.5 and power < len(_UNITS) - 1:
        nbytes, power = nbytes / 1000, power + 1
    return f"{nbytes:,.0f} bytes" if not power else f"{large(nbytes)} {_UNITS[power]}"

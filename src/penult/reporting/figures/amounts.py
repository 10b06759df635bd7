"""Axes of what networks cost: logarithmic where they differ much, with short round numbers."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, log10
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["amount", "amount_axis"]

WIDE = 8  # times as much as the least: from there on the axis is logarithmic
STEPS: tuple[tuple[int, ...], ...] = ((1, 2, 5), (1, 3), (1,))


def amount(value: float, giga: float = 1.0) -> str:
    """Write a number with the letter of its thousands.

    Parameters
    ----------
    value : not negative
    giga : from how many on 10⁹ is the unit: 300 M parameters are told so, and 0.3 G operations

    Examples
    --------
    >>> amount(5_000_000), amount(400_000_000), amount(400_000_000, 0.1), amount(120)
    ('5 M', '400 M', '0.4 G', '120')
    """
    for letter, unit, least in (("T", 1e12, 1), ("G", 1e9, giga), ("M", 1e6, 0.1), ("k", 1e3, 1)):
        if value >= least * unit * (1 - 1e-9):
            return f"{value / unit:.6g} {letter}"
    return f"{value:.6g}"


def amount_axis(axes: Axes, values: Sequence[float], *, most: int, giga: float | None) -> None:
    """Scale the x axis for some positive amounts, and label it with at most some round ones.

    Parameters
    ----------
    values : what is shown
    most : labels that there is room for
    giga : as of `amount`; None writes no letters
    """
    from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

    low, high = min(values), max(values)
    if high > WIDE * low > 0:
        room = (high / low) ** 0.08
        axes.set_xscale("log")
        axes.set_xlim(low / room, high * room)
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xticks(_round_numbers(low / room, high * room, most))
    else:
        room = 0.1 * (high - low) or 0.1 * abs(high) or 1.0
        axes.set_xlim(low - room, high + room)
        axes.xaxis.set_major_locator(MaxNLocator(most - 1, steps=[1, 2, 2.5, 5, 10]))
    axes.xaxis.set_major_formatter(
        FuncFormatter(lambda value, _: f"{value:,.6g}" if giga is None else amount(value, giga))
    )


def _round_numbers(low: float, high: float, most: int) -> list[float]:
    """Ones, twos and fives with zeros between two numbers, or fewer where these are too many."""
    powers = range(floor(log10(low)), ceil(log10(high)) + 1)
    found: list[float] = []
    for steps in STEPS:
        # The shortest decimals, as people write them: 3e-5 times ten is not what they mean.
        every = [float(f"{step}e{power}") for power in powers for step in steps]
        found = [one for one in every if low <= one <= high]
        if len(found) <= most:
            return found
    return found[:: ceil(len(found) / most)]

"""What is asked: how many images, on what machines, until when."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from penult.errors import UsageError
from penult.interface import option
from penult.representation import what_given

__all__ = ["MOST_MACHINES", "Request", "as_bytes", "as_images", "as_seconds"]

MOST_IMAGES = 10**15
MOST_MACHINES = 100_000
_BYTES = {"MB": 10**6, "GB": 10**9, "TB": 10**12}
_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400}


@dataclass(frozen=True, kw_only=True)
class Request:
    """How many images, and with what.

    Attributes
    ----------
    images : int
        How many there are.
    machines : int or None
        None: as many as the deadline needs, or one.
    cores, gpus : int
        Of each machine.
    memory : int or None
        Bytes of memory of each machine, where that is known.
    deadline : float or None
        Seconds that it may take.
    price_per_hour : float or None
        Of one machine, in whatever currency.
    """

    images: int
    machines: int | None = None
    cores: int
    gpus: int = 0
    memory: int | None = None
    deadline: float | None = None
    price_per_hour: float | None = None

    def __post_init__(self) -> None:
        for name, least in (("machines", 1), ("cores", 1), ("gpus", 0)):
            value = getattr(self, name)
            if value is not None and not least <= value <= MOST_MACHINES:
                raise UsageError(
                    f"{option(name, value)} was given; give {least} to {MOST_MACHINES:,}"
                    f"{' machines' if name == 'machines' else ', of each machine'}"
                )
        if self.gpus > self.cores:
            raise UsageError(
                f"{option('gpus', self.gpus)} and {option('cores', self.cores)} were given; each "
                "GPU needs a core at least, which reads photos for it"
            )
        price = self.price_per_hour
        if price is not None and not (0 < price < math.inf):
            raise UsageError(
                f"{option('price_per_hour', price)} was given; give what one machine costs an "
                "hour, a number above 0"
            )


def as_images(given: float | str) -> int:
    """Read a number of images, such as ``"1e9"`` or ``"1,000,000"``.

    Raises
    ------
    UsageError
        If it is none, less than one, or more than 10¹⁵.
    """
    try:
        number = float(given.replace(",", "").replace("_", "") if isinstance(given, str) else given)
    except ValueError:
        number = math.nan
    if not 1 <= number <= MOST_IMAGES:
        raise UsageError(
            f"{option('images')} is {what_given(given)}; give a number from 1 to 1e15, such as 1e9"
        )
    if number != int(number):
        raise UsageError(
            f"{option('images')} is {what_given(given)}; give a whole number, such as 1e9"
        )
    return int(number)


def as_seconds(given: str | None) -> float | None:
    """Read a time such as ``"24h"``, ``"90m"`` or ``"3d"``.

    Raises
    ------
    UsageError
        If it is none, or not above 0.
    """
    example = "a time with its unit, such as 24h, 90m or 3d"
    return _as_quantity(given, _SECONDS, name="deadline", example=example)


def as_bytes(given: str | None) -> int | None:
    """Read a size of memory such as ``"64GB"``; a gigabyte has 1,000 megabytes.

    Raises
    ------
    UsageError
        If it is none, or not above 0.
    """
    example = "a size with its unit, such as 64GB or 0.5TB"
    found = _as_quantity(given, _BYTES, name="memory", example=example, flags=re.IGNORECASE)
    return None if found is None else int(found)


def _as_quantity(
    given: str | None, units: Mapping[str, int], *, name: str, example: str, flags: int = 0
) -> float | None:
    """Read a number above 0 and its unit, in the smallest of the units."""
    if given is None:
        return None
    number = r"(\d{1,9}(?:\.\d{1,9})?) ?"
    found = re.fullmatch(f"{number}({'|'.join(units)})", given.strip(), flags)
    if found is None or float(found[1]) == 0:
        raise UsageError(f"{option(name)} is {what_given(given)}; give {example}")
    unit = found[2].upper() if flags & re.IGNORECASE else found[2]
    return float(found[1]) * units[unit]

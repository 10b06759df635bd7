"""What a program gives, checked for its type before it is used."""

from __future__ import annotations

import re
from numbers import Integral

from penult.errors import UsageError
from penult.interface import option
from penult.representation import what_given

__all__ = ["in_bytes", "require_name", "require_whole"]

# With less, each pass over a file is of a few rows at a time.
_LEAST_MEMORY = 1_000_000


def in_bytes(size: int | str | None) -> int | None:
    """Turn ``"4GB"`` into a number of bytes, and leave a number as it is; a kilobyte has 1,000.

    Raises
    ------
    UsageError
    """
    if not isinstance(size, str):
        return size
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?([kmgt]?)b?", size.strip(), re.IGNORECASE)
    if found is None:
        raise UsageError(
            f"{option('max_memory', size)} is no size; for example {option('max_memory', '4GB')}"
        )
    number = int(float(found[1]) * 1000 ** " kmgt".index(found[2].lower() or " "))
    if number < _LEAST_MEMORY:
        raise UsageError(
            f"{option('max_memory', size)} takes longer than anybody waits; give 1MB or more"
        )
    return number


def require_name(argument: str, value: object) -> None:
    """Refuse what is no text.

    Raises
    ------
    UsageError
    """
    if not isinstance(value, str):
        raise UsageError(f"{argument} is {what_given(value)}; give a name")


def require_whole(argument: str, value: object) -> None:
    """Refuse what is no whole number.

    Raises
    ------
    UsageError
    """
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise UsageError(f"{argument} is {what_given(value)}; give a whole number")

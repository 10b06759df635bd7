"""What a launcher of several processes tells each of them in its environment."""

from __future__ import annotations

import os

from penult.errors import UsageError

__all__ = ["launched_number", "require_numbers"]

_NUMBERS = ("WORLD_SIZE", "RANK", "LOCAL_WORLD_SIZE", "LOCAL_RANK", "MASTER_PORT")


def launched_number(name: str, default: int) -> int:
    """A number of the environment; the default where it is not set, or empty.

    Raises
    ------
    UsageError
        If it is no whole number from 0.
    """
    told = os.environ.get(name, "").strip()
    if not told:
        return default
    if not (told.isascii() and told.isdecimal()):
        raise UsageError(
            f"{name} is {told[:40]!r} in the environment; it must be a whole number, which "
            "torchrun or accelerate launch sets: start by one of these, or remove it with: "
            f"unset {name}"
        )
    return int(told)


def require_numbers() -> None:
    """Refuse an environment of which penult, accelerate or torch could not read the numbers.

    Raises
    ------
    UsageError
    """
    for name in _NUMBERS:
        launched_number(name, 0)

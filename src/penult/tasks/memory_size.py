"""How much memory is meant by a number of bytes, or by a text such as 4GB."""

from __future__ import annotations

import re

from penult.errors import UsageError
from penult.interface import option

__all__ = ["in_bytes"]

# With less, each pass over a file is of a few rows at a time.
_LEAST = 1_000_000


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
    if number < _LEAST:
        raise UsageError(
            f"{option('max_memory', size)} takes longer than anybody waits; give 1MB or more"
        )
    return number

"""JSON from outside: written by others, damaged, or made to do harm."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["DEEPEST", "read_json"]

DEEPEST = 100
"""Levels of brackets; what penult reads has some twenty at the most."""


def read_json(text: str | bytes) -> Any:
    """Parse JSON that someone else may have written.

    Raises
    ------
    ValueError
        Whatever is wrong with it; also where it is nested so deeply that the parser, or the code
        that goes through its result, would run out of stack.
    """
    try:
        value = json.loads(text)
    except RecursionError as error:
        raise _too_deep() from error
    level, depth = [[value]], 0
    while level := [inner for outer in level for inner in _nested_in(outer)]:
        depth += 1
        if depth > DEEPEST:
            raise _too_deep()
    return value


def _nested_in(value: Any) -> list[Any]:
    values = value.values() if isinstance(value, dict) else value
    return [one for one in values if isinstance(one, dict | list)]


def _too_deep() -> ValueError:
    return ValueError(f"it is nested more than {DEEPEST} levels deep")

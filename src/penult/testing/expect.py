"""What a check says when it fails; `assert` would be silent under ``python -O``."""

from __future__ import annotations

__all__ = ["expect"]


def expect(condition: object, message: str) -> None:
    """Raise an AssertionError with a message unless a condition holds."""
    if not condition:
        raise AssertionError(message)

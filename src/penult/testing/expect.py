"""What a check says when it fails; `assert` would be silent under ``python -O``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from penult.messages import first_line

__all__ = ["expect", "expecting"]


def expect(condition: object, message: str) -> None:
    """Raise an AssertionError with a message unless a condition holds."""
    if not condition:
        raise AssertionError(message)


@contextmanager
def expecting(promise: str) -> Iterator[None]:
    """Turn whatever code that is checked raises into an AssertionError that says what it owes."""
    try:
        yield
    except AssertionError:
        raise
    except Exception as error:
        raise AssertionError(f"{promise}: {type(error).__name__}: {first_line(error)}") from error

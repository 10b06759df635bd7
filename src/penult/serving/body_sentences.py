"""What is said of a body that is too large or too slow, by whoever reads it."""

from __future__ import annotations

from penult.wording import count

__all__ = ["FORM_OVERHEAD", "too_large", "too_slow"]

FORM_OVERHEAD = 1 << 16
"""Bytes that a form may have beside its photos."""


def too_large(most: int, instead: str) -> str:
    """Say that a body is larger than is allowed, and what to do.

    Parameters
    ----------
    most : int
        Bytes.
    instead : str
        What to do, as an imperative.
    """
    return f"the body is larger than {count(most, 'byte')}, the most that is allowed; {instead}"


def too_slow(seconds: float) -> str:
    """Say that a body did not come within its time."""
    return f"the body did not come within {seconds:g} seconds; send it again"

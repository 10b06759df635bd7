"""What a program gives, checked for its type before it is used."""

from __future__ import annotations

from numbers import Integral

from penult.errors import UsageError

__all__ = ["require_name", "require_whole"]


def require_name(argument: str, value: object) -> None:
    """Refuse what is no text.

    Raises
    ------
    UsageError
    """
    if not isinstance(value, str):
        raise UsageError(f"{argument} is {value!r}; give a name")


def require_whole(argument: str, value: object) -> None:
    """Refuse what is no whole number.

    Raises
    ------
    UsageError
    """
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise UsageError(f"{argument} is {value!r}; give a whole number")

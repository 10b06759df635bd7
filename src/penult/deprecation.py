"""Old spellings of keyword arguments, which go on working with a warning."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from penult.errors import UsageError

__all__ = ["renamed_keyword"]

P = ParamSpec("P")
Result = TypeVar("Result")


def renamed_keyword(
    old: str, new: str, *, convert: Callable[[Any], Any] | None = None
) -> Callable[[Callable[P, Result]], Callable[P, Result]]:
    """Let a function take a keyword argument by its old name too.

    Parameters
    ----------
    old, new : str
        The names.
    convert : callable, optional
        From the old argument to the new one, where its meaning has changed as well.
    """

    def decorate(function: Callable[P, Result]) -> Callable[P, Result]:
        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> Result:
            if old in kwargs:
                if new in kwargs:
                    raise UsageError(f"{old} is the old name of {new}; give {new} alone")
                given = kwargs.pop(old)
                wanted = given if convert is None else convert(given)
                what = f"{old} is now called {new}"
                if convert is not None:
                    what = f"{old}={given!r} is now written {new}={wanted!r}"
                warnings.warn(what, FutureWarning, stacklevel=2)
                kwargs[new] = wanted
            return function(*args, **kwargs)

        return call

    return decorate

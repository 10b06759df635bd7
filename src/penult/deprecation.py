"""Old spellings of keyword arguments, which go on working with a warning."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from penult.errors import UsageError

__all__ = ["renamed_keyword"]

P = ParamSpec("P")
Result = TypeVar("Result")


def renamed_keyword(old: str, new: str) -> Callable[[Callable[P, Result]], Callable[P, Result]]:
    """Let a function take a keyword argument by its old name too."""

    def decorate(function: Callable[P, Result]) -> Callable[P, Result]:
        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> Result:
            if old in kwargs:
                if new in kwargs:
                    raise UsageError(f"{old} is the old name of {new}; give {new} alone")
                warnings.warn(f"{old} is now called {new}", FutureWarning, stacklevel=2)
                kwargs[new] = kwargs.pop(old)
            return function(*args, **kwargs)

        return call

    return decorate

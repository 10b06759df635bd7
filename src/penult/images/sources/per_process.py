"""Things that are opened once in each process, and pickled as a description of how."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Generic, TypeVar

__all__ = ["PerProcess"]

T = TypeVar("T")


class PerProcess(Generic[T]):
    """What a call makes, made when it is first asked for, and anew in another process.

    Parameters
    ----------
    make : callable
        Makes it; a function or class of a module.
    *arguments : object
        Its arguments, hashable and picklable.
    """

    def __init__(self, make: Callable[..., T], *arguments: Any) -> None:
        self._make, self._arguments = make, arguments
        self._made: tuple[int, T] | None = None

    def __call__(self) -> T:
        """The one of this process."""
        process = os.getpid()
        if self._made is None or self._made[0] != process:  # it was forked
            self._made = process, self._make(*self._arguments)
        return self._made[1]

    def __reduce__(self) -> Any:
        return _shared, (self._make, *self._arguments)


@lru_cache(maxsize=8)  # records that are unpickled one by one share theirs
def _shared(make: Callable[..., T], *arguments: Any) -> PerProcess[T]:
    return PerProcess(make, *arguments)

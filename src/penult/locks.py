"""Locks of a whole process."""

from __future__ import annotations

import os
from threading import Lock
from types import TracebackType

__all__ = ["ForkSafeLock"]


class ForkSafeLock:
    """A lock that a forked child finds open: whoever held it in the parent is not in the child.

    Each is known to the process for good, so it is for modules and not for objects.
    """

    def __init__(self) -> None:
        self._taken: list[Lock] = []  # several only in the child of who held it
        self._renew()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._renew)

    def _renew(self) -> None:
        self._lock = Lock()

    def __enter__(self) -> None:
        lock = self._lock
        lock.acquire()
        self._taken.append(lock)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._taken.pop().release()

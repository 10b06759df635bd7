"""Locks of a whole process, and between processes."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from filelock import BaseFileLock

__all__ = ["NO_LOCKS", "ForkSafeLock", "file_lock"]

NO_LOCKS = {errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL}
"""What a file system answers that has no locks: some network and user-space ones."""


def file_lock(path: Path, instead: Path) -> BaseFileLock:
    """Lock a file against other processes, or be refused at once.

    The system releases the lock when the process ends, however it ends. Where the file system has
    no such locks, a file with the process's id takes their place: then a process that was killed is
    told from a running one by whether it is alive, on the machine where it ran.

    Parameters
    ----------
    path : Path
        The file, which is made if need be; its folder is there.
    instead : Path
        That with the process's id. It has another name: the file that could not be locked is there,
        and would seem to be a lock.

    Returns
    -------
    filelock.BaseFileLock
        To be released; its ``lock_file`` says which of both it is.

    Raises
    ------
    filelock.Timeout
        If another process holds it.
    OSError
        If the folder cannot be written.
    """
    from filelock import FileLock, SoftFileLock

    lock: BaseFileLock = FileLock(path, timeout=0)
    try:
        lock.acquire()
    except OSError as error:  # of which `Timeout` is one, without a number
        if error.errno not in NO_LOCKS:
            raise
        lock = SoftFileLock(instead, timeout=0)
        lock.acquire()
    return lock


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

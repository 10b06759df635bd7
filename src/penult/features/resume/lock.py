"""One run at a time on one output."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from pathlib import Path

from filelock import BaseFileLock, Timeout

from penult.errors import OutputError, OutputExistsError
from penult.locks import file_lock

__all__ = ["RunLock", "owner_of"]

_LOCK, _INSTEAD, _OWNER = "lock", "lock.file", "owner"


class RunLock:
    """A lock on a run's folder, which is created if need be.

    The system releases it when the process ends, however it ends; see `file_lock`.

    Parameters
    ----------
    folder : where the lock lies; removed by `remove`, or by `release` if nothing else lies there
    output : what messages call it

    Raises
    ------
    OutputExistsError
        If another run holds it; names its process. Or if there is a file in the folder's place.
    OSError
        If the folder cannot be written.
    """

    def __init__(self, folder: Path, output: Path) -> None:
        self._folder, self._output = folder, output
        self._lock = self._acquire()
        self._path = Path(self._lock.lock_file)
        self._identity = _identity(self._path)
        try:
            (folder / _OWNER).write_text(f"process {os.getpid()} on {socket.gethostname()}")
        except OSError:
            self.release(remove=True)
            raise

    def _acquire(self) -> BaseFileLock:
        try:
            self._folder.mkdir(exist_ok=True)
        except FileExistsError as error:
            raise OutputExistsError(
                f"{self._folder} is a file, in the place of a folder that is needed to write "
                f"{self._output}; move it, or give another name"
            ) from error
        try:
            return file_lock(self._folder / _LOCK, self._folder / _INSTEAD)
        except Timeout as error:
            raise OutputExistsError(
                f"{self._output} is being written by another run, {self._owner()}; wait for it "
                f"to end, or give another name"
            ) from error

    def _owner(self) -> str:
        return owner_of(self._folder) or "which has just begun"

    def check(self) -> None:
        """Make sure that the folder is still the one that was locked.

        Raises
        ------
        OutputError
            If it was removed or replaced: whatever was kept in it is gone.
        """
        if not self.is_held:
            raise OutputError(
                f"{self._output} cannot be written: the folder {self._folder} vanished during the "
                f"run, and what was kept there with it; type the same command to begin again"
            )

    @property
    def is_held(self) -> bool:
        """The folder is still the one that was locked."""
        return _identity(self._path) == self._identity

    def release(self, *, remove: bool = False) -> None:
        """Let go; with `remove`, take the lock's own files and the empty folder away too."""
        if remove and self.is_held:
            (self._folder / _OWNER).unlink(missing_ok=True)
            for name in (_LOCK, _INSTEAD):
                with suppress(PermissionError):  # some systems keep a file that is open
                    (self._folder / name).unlink(missing_ok=True)
        self._lock.release()
        if remove:
            with suppress(OSError):  # another run has begun in it
                self._folder.rmdir()


def owner_of(folder: Path) -> str:
    """Who holds, or held, the lock of a run's folder, as messages say it; "" where nobody says."""
    try:
        return (folder / _OWNER).read_text()
    except OSError:
        return ""


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino

"""A file that one process at a time may write."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from penult.errors import OutputExistsError
from penult.interface import option
from penult.locks import file_lock
from penult.output import explain

if TYPE_CHECKING:
    from filelock import BaseFileLock

__all__ = ["lock_file", "release"]


def lock_file(path: Path, given_by: str) -> BaseFileLock:
    """Lock a file against other processes, which need not be there yet.

    The system releases the lock when the process ends, however it ends; see `file_lock`.

    Parameters
    ----------
    path : Path
        The file; the lock lies beside it, with ``.lock`` at the end of its name.
    given_by : str
        The option that another file is given by, for messages.

    Returns
    -------
    filelock.BaseFileLock
        To be released.

    Raises
    ------
    OutputExistsError
        If another process holds it; names that process.
    OutputError
        If the folder cannot be written.
    """
    from filelock import Timeout

    beside = path.with_name(f"{path.name}.lock")
    try:
        lock = file_lock(beside, beside.with_name(f"{beside.name}.file"))
    except Timeout as error:
        raise OutputExistsError(
            f"{path} is being written by another service{_owner(beside)}; stop that one, or "
            f"give another file with {option(given_by, 'FILE')}"
        ) from error
    except OSError as error:
        raise explain(error, path, kept=path.is_file()) from error
    with suppress(OSError):  # it only names the process in a message
        beside.write_text(f"process {os.getpid()} on {socket.gethostname()}")
    return lock


def release(lock: BaseFileLock) -> None:
    """Let others have the file, and take the lock's own file away; twice does no harm."""
    if lock.is_locked:
        # While it is held: whoever takes a lock looks whether its file is still there.
        with suppress(OSError):  # some systems keep a file that is open
            Path(lock.lock_file).unlink()
    lock.release()


def _owner(lock: Path) -> str:
    try:
        owner = lock.read_text(errors="replace")
    except OSError:
        return ""
    return f", {owner[:100]}" if owner.startswith("process ") else ""

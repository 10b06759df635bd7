"""Files and folders that are read: one way to say that one is missing, or is another kind."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Sequence
from pathlib import Path

from penult.errors import PathNotFoundError, UnreadableFileError, WrongFileError
from penult.machine_faults import FREE_MEMORY, is_of_memory, machine_fault
from penult.passwords import without_password
from penult.spelling import closest
from penult.table_addresses import refuse_address

__all__ = [
    "begins_with",
    "open_file",
    "refuse_unread",
    "require_existing",
    "require_file",
    "unreadable",
    "what_special",
]

_SPECIAL = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a folder",
}


def require_existing(path: Path, what: str = "file or folder", hint: str = "") -> Path:
    """Refuse a path that is not there.

    Parameters
    ----------
    path : Path
        As it was given.
    what : str
        What it should be, for the message.
    hint : str
        What to do where no name in its folder is like it.

    Raises
    ------
    PathNotFoundError
        If there is none; suggests a close name.
    UnreadableFileError
        If it cannot be looked at.
    UsageError
        If it is an address, of a table for example.
    """
    refuse_address(path)
    try:
        os.stat(path)  # noqa: PTH116 - unlike Path.exists, says why not
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
        # A link to nothing has the name that was given, and is no suggestion.
        shown = without_password(str(path))
        others = [name for name in _names(path) if name != path.name]
        said = _did_you_mean([path.parent / name for name in closest(path.name, others, 1)])
        raise PathNotFoundError(
            f"no such {what}: {shown}{said or (hint and f'; {hint}')}"
        ) from error
    except OSError as error:
        raise unreadable(path, error) from error
    return path


def require_file(
    path: Path,
    wanted: str,
    suffixes: Sequence[str],
    hint: str = "",
    *,
    may_be_pipe: bool = False,
) -> Path:
    """Refuse a path that is not there, is no regular file, or cannot be read.

    What opens a named pipe waits until something writes to it, and nothing can be read twice, or
    from its end, of what comes out.

    Parameters
    ----------
    path : Path
        As it was given.
    wanted : str
        What to give, ``"a classifier file"``.
    suffixes : sequence of str
        Of such files: one in a folder that was given is suggested.
    hint : str
        How to get one; by default that it should be given.
    may_be_pipe : bool
        Whether it is read once, from its beginning: then it may be what a command prints
        (``<(COMMAND)``), and ends when that does.

    Raises
    ------
    PathNotFoundError, UnreadableFileError
        As `require_existing` does, and of a file that may not be read.
    WrongFileError
        If it is a folder, of which a report's holds what was likely meant; or a named pipe, a
        socket or a device.
    """
    hint = hint or f"give {wanted}"
    require_existing(path, "file", hint)
    if path.is_dir():
        inside = [name for name in _names(path / "_") if name.endswith(tuple(suffixes))]
        meant = _did_you_mean([path / name for name in sorted(inside)[:3]])
        raise WrongFileError(f"{path} is a folder, not {wanted}{meant or f'; {hint}'}")
    special = what_special(path.stat())
    if special is None:
        open_file(path).close()  # whoever opens it next need not say why it cannot be
    elif not (may_be_pipe and path.is_fifo()):
        raise WrongFileError(f"{path} is {special}, not {wanted}; {hint}")
    return path


def open_file(path: Path) -> io.BufferedReader:
    """Open a file that a user named, to read its bytes.

    Raises
    ------
    UnreadableFileError
    """
    try:
        return path.open("rb")
    except OSError as error:
        raise unreadable(path, error) from error


def refuse_unread(path: str | os.PathLike[str], error: Exception) -> None:
    """Refuse to blame a file where the machine failed to read it: for memory, or for its disk.

    Whatever turns any error into one that calls a file damaged asks this first.

    Raises
    ------
    UnreadableFileError
        If it was the machine.
    """
    if machine_fault(error) is not None:
        raise unreadable(path, error) from error


def unreadable(path: str | os.PathLike[str], error: Exception) -> UnreadableFileError:
    """Make the error of a file that cannot be read, which says why.

    How such a file is made anew is not said of one that is there.
    """
    if isinstance(error, UnreadableFileError):
        return error
    why = machine_fault(error) or (getattr(error, "strerror", None) or str(error)).lower()
    if is_of_memory(error):
        why += f"; {FREE_MEMORY}"
    if isinstance(error, PermissionError):
        why += "; change who may read it, or ask its owner to"
    return UnreadableFileError(f"{path} cannot be read: {why}")


def what_special(status: os.stat_result) -> str | None:
    """Say what something is that is no regular file, such as ``"a named pipe"``; None of a file."""
    if stat.S_ISREG(status.st_mode):
        return None
    return _SPECIAL.get(stat.S_IFMT(status.st_mode), "something else")


def begins_with(path: str | os.PathLike[str], magic: bytes) -> bool:
    """Whether a path is that of a regular file which begins with these bytes.

    Nothing else is opened: of a named pipe, what is looked at would be lost to whoever reads it.
    """
    try:
        if what_special(os.stat(path)) is not None:  # noqa: PTH116 - a path may be text
            return False
        with Path(path).open("rb") as file:
            return file.read(len(magic)) == magic
    except (OSError, ValueError):
        return False


def _names(path: Path) -> list[str]:
    """Names in the folder of a path; hidden ones, such as penult's own, where it is one."""
    try:
        names = os.listdir(path.parent)  # noqa: PTH208
    except (OSError, ValueError):
        return []
    return [name for name in names if path.name[:1] == "." or name[:1] != "."]


def _did_you_mean(paths: Sequence[Path]) -> str:
    return f"; did you mean {', '.join(map(str, paths))}?" if paths else ""

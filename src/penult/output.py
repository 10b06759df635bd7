"""Results appear under their final name whole, or not at all."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from penult.addresses import address_of
from penult.errors import (
    OutputError,
    OutputExistsError,
    PathNotFoundError,
    PenultError,
    UsageError,
)
from penult.inputs import what_special
from penult.interface import command, option
from penult.output_names import refuse_output_name
from penult.representation import short_text
from penult.scratch import scratch_file, sweep
from penult.suffixes import Output, require_suffix

__all__ = [
    "atomic_output",
    "atomic_text",
    "check_folder",
    "check_output",
    "default_mode",
    "explain",
    "replace_file",
    "require_not_read_only",
    "sync_folder",
]


# In bytes; beside a file lie others meanwhile, whose names are longer: see `penult.scratch`.
_LONGEST_NAME = 210
_OS_ERROR = re.compile(r"\(os error (\d+)\)")
_STATE = ("st_dev", "st_ino", "st_size", "st_mtime_ns")  # by which a file is known to be the same


def check_output(
    path: Path,
    *,
    overwrite: bool,
    inputs: Iterable[Path] = (),
    output: Output | None = None,
    has_update: bool = False,
    name: str | None = None,
) -> None:
    """Refuse an output that cannot be written, before any work is spent on it.

    Parameters
    ----------
    inputs : files that it is made from, and may not replace
    output : what it is to hold, if it has to have a name that says so
    has_update : whether one that exists could be brought up to date
    name : of the option that it was given to, as for `refuse_output_name`

    Raises
    ------
    OutputExistsError, PathNotFoundError, OutputError
    UsageError
        If its name says that it holds something else, or is none for an output; see
        `refuse_output_name`.
    """
    refuse_output_name(path, name=name)
    if len(os.fsencode(path.name)) > _LONGEST_NAME:
        raise OutputError(
            f"{short_text(str(path), 80)} cannot be written: its name is longer than the "
            f"{_LONGEST_NAME} bytes that leave room for what is not finished yet"
        )
    for one in inputs:
        if path.exists() and one.exists() and path.samefile(one):
            raise OutputExistsError(f"{path} is what is read; give another name to write to")
    if path.is_dir():
        raise OutputExistsError(f"{path} is a folder; give the name of a file to write")
    if path.exists() and (special := what_special(path.stat())) is not None:
        raise OutputExistsError(
            f"{path} is {special}, not a file; give the name of a file to write"
        )
    if output is not None:
        require_suffix(path, output)
    if path.exists() and not overwrite:
        raise already_there(path, has_update=has_update)
    if not path.parent.is_dir():
        if (address := address_of(path)) is not None:
            raise UsageError(
                f"{address} is an address, and what {command('extract')} writes to one is a folder "
                f"of rows ({option('output', 's3://BUCKET/photos.rows')}); give a file on this "
                "machine, or such a folder"
            )
        raise PathNotFoundError(f"{path} cannot be written: there is no folder {path.parent}")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise OutputError(f"{path} cannot be written: the folder {path.parent} is read-only")


def already_there(place: str | Path, *, has_update: bool = False) -> OutputExistsError:
    """Say of an output that exists what to type.

    Parameters
    ----------
    has_update : whether it could be brought up to date
    """
    updated = f"{option('update', True)} to bring it up to date, " if has_update else ""
    return OutputExistsError(
        f"{place} exists; give {option('overwrite', True)} to replace it, {updated}or another name"
    )


def check_folder(folder: Path, *, name: str | None = None) -> None:
    """Refuse a folder that cannot be filled, or made, before any work is spent on it.

    Parameters
    ----------
    name : of the option that it was given to, as for `refuse_output_name`

    Raises
    ------
    OutputError
    UsageError
        If its name is none for an output; see `refuse_output_name`.
    """
    refuse_output_name(folder, is_folder=True, name=name)
    require_not_read_only(folder)


def require_not_read_only(folder: Path) -> None:
    """Refuse a folder that cannot be filled, or made.

    Raises
    ------
    OutputError
    """
    there = next((one for one in (folder, *folder.parents) if one.exists()), folder)
    if there.is_dir() and not os.access(there, os.W_OK | os.X_OK):
        what = "it" if there == folder else f"the folder {there}"
        raise OutputError(f"{folder} cannot be written: {what} is read-only")


@contextmanager
def atomic_output(
    path: Path,
    *,
    overwrite: bool = False,
    folder: Path | None = None,
    was: os.stat_result | None = None,
) -> Iterator[Path]:
    """Yield a temporary path, renamed to `path` if the block ends well.

    It lies in `folder`, which has to be on the same disk, or else beside `path`. It is synced
    before the rename, and removed if the block raises; what killed processes left is removed
    first. A file that is replaced keeps its permissions; if `was` is given, its state has to be
    that, or what others wrote meanwhile would be lost. An `OSError` from inside (a full disk, say)
    becomes an `OutputError` that names `path`.
    """
    check_output(path, overwrite=overwrite)
    sweep(folder or path.parent, path.name)
    try:
        temporary = scratch_file(folder or path.parent, path.name)
    except OSError as error:
        raise explain(error, path) from error
    try:
        try:
            with _errors_of_the_system():
                yield temporary
            _sync(temporary)
            if path.exists() and not overwrite:
                raise OutputExistsError(
                    f"{path} appeared meanwhile; give {option('overwrite', True)} to replace it, "
                    "or another name"
                )
            if was is not None and not _is_still(path, was):
                raise OutputError(
                    f"{path} was changed by another run meanwhile, and is as that left it; type "
                    "the command again"
                )
            replace_file(temporary, path)
            sync_folder(path.parent)
        except PenultError:
            raise
        except OSError as error:
            raise explain(error, path, kept=path.is_file()) from error
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


@contextmanager
def atomic_text(path: Path, *, overwrite: bool = False, newline: str = "") -> Iterator[TextIO]:
    """Yield a UTF-8 file that becomes `path` if the block ends well; see `atomic_output`."""
    with (
        atomic_output(path, overwrite=overwrite) as temporary,
        # A name that is no valid UTF-8 reaches Python with lone surrogates in it.
        temporary.open("w", encoding="utf-8", errors="backslashreplace", newline=newline) as file,
    ):
        yield file


@contextmanager
def _errors_of_the_system() -> Iterator[None]:
    """Turn what a library in Rust, as safetensors is, makes of an `OSError` into that again."""
    try:
        yield
    except (OSError, PenultError):
        raise
    except Exception as error:
        if (found := _OS_ERROR.search(str(error))) is None:
            raise
        raise OSError(int(found[1]), os.strerror(int(found[1]))) from error


def _is_still(path: Path, was: os.stat_result) -> bool:
    try:
        now = path.stat()
    except FileNotFoundError:
        return False
    return all(getattr(now, one) == getattr(was, one) for one in _STATE)


def explain(error: OSError, path: Path, *, kept: bool = False) -> OutputError:
    """Turn an `OSError` met while writing `path` into one line that names it and the cause.

    `kept` is whether a file of that name was to be replaced, and was not.
    """
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    cause = "the disk is full" if full else (error.strerror or str(error).splitlines()[0])
    left = "the file of that name is as it was" if kept else "nothing was left under that name"
    return OutputError(f"{path} cannot be written: {cause}; {left}")


def replace_file(temporary: Path, path: Path) -> None:
    """Give a file its final name; it gets the permissions of the file that it replaces.

    Raises
    ------
    OSError
    """
    try:
        mode = path.stat().st_mode & 0o777
    except OSError:
        mode = default_mode()
    temporary.chmod(mode)
    temporary.replace(path)


def default_mode() -> int:
    """The permissions that `open` gives a new file; those of a scratch file are private."""
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def sync_folder(folder: Path) -> None:
    """Make the names in a folder, after a rename, outlive a power cut."""
    if os.name == "nt":
        return  # there a folder cannot be opened
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some network file systems cannot
            raise
    finally:
        os.close(descriptor)


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())

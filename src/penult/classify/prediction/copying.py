"""Putting one photo under a free name: copied, linked or moved, never in place of another."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from penult.errors import ImageError, OutputError, UsageError
from penult.interface import option
from penult.messages import first_line
from penult.output import default_mode, explain, sync_folder
from penult.records import ImageRecord
from penult.scratch import scratch_file

__all__ = [
    "SCRATCH",
    "copy_photo",
    "digest_of_file",
    "file_of",
    "link_photo",
    "move_file",
    "relink_photo",
]

SCRATCH = "penult"
"""What copies are called until they are whole; see `penult.scratch`."""


def file_of(record: ImageRecord, mode: str) -> Path:
    """The file of an image that is to be linked to or moved.

    Raises
    ------
    UsageError
        If it is no file of its own.
    """
    if record.path is None:
        does = "be moved" if mode == "move" else f"be led to by a {mode}"
        raise UsageError(
            f"{record.id} is no file of its own that could {does}; give "
            f"{option('copy_mode', 'copy')}"
        )
    return record.path


def link_photo(record: ImageRecord, target: Path, mode: str) -> None:
    """Make a link to a photo under a name that is free; `FileExistsError` if it is not.

    Raises
    ------
    OutputError, UsageError
    """
    path = file_of(record, mode)
    try:
        if mode == "symlink":
            target.symlink_to(path.absolute())
        else:
            os.link(path.resolve(), target)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno == errno.EXDEV:
            raise OutputError(
                f"{path} and {target.parent} are on different disks, which a hardlink cannot join; "
                f"give {option('copy_mode', 'copy')} or symlink"
            ) from error
        raise OutputError(
            f"{target} cannot be made a {mode}: {error.strerror}; give "
            f"{option('copy_mode', 'copy')}"
        ) from error


def relink_photo(record: ImageRecord, link: Path) -> None:
    """Have a symbolic link that leads nowhere lead to a photo, which has moved.

    Raises
    ------
    OutputError
    """
    try:
        new = scratch_file(link.parent, SCRATCH)
        try:
            new.unlink()
            new.symlink_to(file_of(record, "symlink").absolute())
            new.replace(link)
        finally:
            new.unlink(missing_ok=True)
    except OSError as error:
        raise error if isinstance(error, OutputError) else explain(error, link) from error


def copy_photo(record: ImageRecord, target: Path, *, digest: str | None = None) -> None:
    """Copy the bytes under a name that is free, whole or not at all.

    Parameters
    ----------
    record : ImageRecord
        The photo.
    target : Path
        Where to.
    digest : str, optional
        Of the bytes that the copy has to have to get its name, which then outlives a power cut.

    Raises
    ------
    FileExistsError
        If the name is not free.
    OutputError
        If it cannot be written.
    ImageError
        If the photo can no longer be read, or has changed.
    """
    partial = None
    try:
        partial = scratch_file(target.parent, SCRATCH)
        hashed = hashlib.blake2b(digest_size=16)
        with partial.open("wb") as copy:
            for chunk in _chunks(record):
                hashed.update(chunk)
                copy.write(chunk)
            if digest is not None:
                copy.flush()
                os.fsync(copy.fileno())
        if digest not in (None, hashed.hexdigest()):
            raise ImageError("has changed since it was read")
        if record.path is None:
            partial.chmod(default_mode())
        else:
            shutil.copystat(record.path, partial)  # a photo that is private stays so
        _rename_to_free(partial, target)
        if digest is not None:
            sync_folder(target.parent)
    except FileExistsError:
        raise
    except OSError as error:
        raise error if isinstance(error, OutputError) else explain(error, target) from error
    finally:
        if partial is not None:
            partial.unlink(missing_ok=True)


def _chunks(record: ImageRecord) -> Iterator[bytes]:
    try:
        with record.open() as file:
            while chunk := file.read(1 << 20):
                yield chunk
    except Exception as error:
        # A source may be anybody's: whatever it raises is said of the photo.
        cause = getattr(error, "strerror", None) or first_line(error)
        raise ImageError(f"can no longer be read: {cause}") from error


def move_file(record: ImageRecord, target: Path, digest: str) -> None:
    """Move a file to a name that is free: at no time is it in neither place.

    Parameters
    ----------
    record : ImageRecord
        The photo, which is a file.
    target : Path
        Where to.
    digest : str
        Of the photo's bytes; hex BLAKE2b-128.

    Raises
    ------
    FileExistsError
        If the name is not free.
    OutputError
        If it cannot be written there, or removed here; it is here then, and not there.
    ImageError
        If it can no longer be read, or has changed.
    """
    path = file_of(record, "move")
    try:
        # A rename would replace what another program has put there meanwhile; a link does not.
        os.link(path, target)
    except FileExistsError:
        raise
    except OSError:  # another disk, or a file system without hard links
        copy_photo(record, target, digest=digest)
    try:
        path.unlink()
    except OSError as error:
        with suppress(OSError):
            target.unlink()
        raise OutputError(
            f"{path} cannot be moved: {error.strerror}; give {option('copy_mode', 'copy')}"
        ) from error


def _rename_to_free(partial: Path, target: Path) -> None:
    # A rename would replace what another program has put there meanwhile; a link does not.
    try:
        os.link(partial, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, "exists", str(target)) from None
        partial.rename(target)


def digest_of_file(path: Path) -> str:
    """Hex BLAKE2b-128 of a file's bytes, as of those of an image."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()

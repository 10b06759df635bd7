"""Opening an HDF5 file to read it, and what it means where that fails."""

from __future__ import annotations

import errno
import io
import os
from pathlib import Path

import h5py

from penult.errors import FeatureFileError, WrongFileError
from penult.features.heap import has_endless_heap
from penult.file_kinds import HDF5, INDEX, ZIP, refuse_other_kind
from penult.inputs import refuse_unread, unreadable
from penult.locks import NO_LOCKS

__all__ = ["open_file"]


def open_file(path: Path, hint: str) -> h5py.File:
    """Open a file for reading.

    Parameters
    ----------
    hint : what to type where it is no such file

    Raises
    ------
    WrongFileError
        If it is another kind of file.
    FeatureFileError
        If it cannot be read.
    """
    try:
        if not has_endless_heap(path):
            return _open(path)
    except OSError as error:
        raise FeatureFileError(f"{path} {_what_is_wrong(path, error, hint)}") from error
    except Exception as error:  # whatever HDF5 and h5py make of damage
        refuse_unread(path, error)
        raise FeatureFileError(f"{path} is a damaged HDF5 file; {hint}") from error
    raise FeatureFileError(f"{path} is a truncated or damaged HDF5 file; {hint}")


def _open(path: Path) -> h5py.File:
    # Asked for a file that is open already, HDF5 hands out that one, and with it what it remembers
    # of its content, even if the file was overwritten in place since.
    state = path.stat()
    known, now = (state.st_dev, state.st_ino), (state.st_size, state.st_mtime_ns, state.st_ctime_ns)
    if known in _is_open() and _opened.get(known, now) != now:
        return h5py.File(_Unshared(path), "r")
    file = _open_by_name(path)
    _opened[known] = now
    return file


class _Unshared(io.FileIO):
    """A file of which HDF5 does not know which one it is; closed when HDF5 lets go of it."""

    def __del__(self) -> None:
        self.close()


_opened: dict[tuple[int, int], tuple[int, int, int]] = {}
"""Device and inode of files to their size and times when they were opened."""


def _is_open() -> set[tuple[int, int]]:
    """Device and inode of the files that HDF5 has open by their names."""
    # A dataset keeps its file open when whoever opened that has let go of it.
    kinds = h5py.h5f.OBJ_FILE | h5py.h5f.OBJ_GROUP | h5py.h5f.OBJ_DATASET
    every = h5py.h5f.get_obj_ids(h5py.h5f.OBJ_ALL, kinds)
    files = map(h5py.h5i.get_file_id, every)
    states = [os.fstat(one.get_vfd_handle()) for one in files if _is_by_name(one)]
    return {(state.st_dev, state.st_ino) for state in states}


def _is_by_name(file: h5py.h5f.FileID) -> bool:
    return bool(file.get_access_plist().get_driver() == h5py.h5fd.SEC2)


def _open_by_name(path: Path) -> h5py.File:
    try:
        return h5py.File(path, "r")
    except OSError as error:
        if not (_is_lock(error) and error.errno in NO_LOCKS):
            raise
        return h5py.File(path, "r", locking=False)  # nobody can have locked it there


def _is_lock(error: OSError) -> bool:
    return "unable to lock file" in str(error)


def _what_is_wrong(path: Path, error: OSError, hint: str) -> str:
    if _is_lock(error):
        return _lock_in_words(error)
    if "already open for" in str(error):
        return (
            "is in use: another program has it open for writing, or was killed while it had; close "
            f"it there, or, where nothing has it open, type: h5clear -s {path}"
        )
    refuse_unread(path, error)
    try:
        with path.open("rb") as opened:
            head = opened.read(len(HDF5))
    except OSError as failed:
        raise unreadable(path, failed) from failed
    if head == HDF5:
        return f"is a truncated or damaged HDF5 file; {hint}"
    if not head:
        return f"is empty (0 bytes); {hint}"
    if head == INDEX:
        raise WrongFileError(
            f"{path} is an index, not a feature file; give the feature file that it was made of"
        ) from error
    if not head.startswith(ZIP):
        refuse_other_kind(path, "features")
    what = (
        "a classifier file"
        if path.suffix == ".skops"
        else "a zip archive, perhaps a classifier file"
    )
    kind = f"is {what}, not a feature file" if head.startswith(ZIP) else "is not a feature file"
    raise WrongFileError(f"{path} {kind}; {hint}") from error


def _lock_in_words(error: OSError) -> str:
    if error.errno in (errno.EAGAIN, errno.EACCES, errno.EWOULDBLOCK):
        return (
            "is in use: another program has it open for writing; close it there (a notebook, an "
            "HDF5 viewer), or wait for it to end"
        )
    return (
        f"cannot be locked, {os.strerror(error.errno or 0)}: its file system has no locks; type "
        "HDF5_USE_FILE_LOCKING=FALSE before the command"
    )

"""Files of this machine, opened without waiting for a device."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from penult.errors import ImageError
from penult.inputs import what_special

__all__ = ["did_you_mean", "open_regular"]

_FOLDERS_AT_ONCE = 2
"""Names of which are kept: a list may name very many images that are not there."""


def did_you_mean(path: str | Path) -> str:
    """Name the file whose path differs in capitals alone from that of one that is not there.

    Returns
    -------
    str
        To put behind what is said of it, ``"; did you mean photos/a.jpg? Capitals count"``; "" if
        there is none.
    """
    try:
        meant = _in_other_case(os.fspath(path))
    except (OSError, ValueError):
        return ""
    return f"; did you mean {meant}? Capitals count" if meant and os.path.isfile(meant) else ""  # noqa: PTH113 - text


def _in_other_case(path: str) -> str | None:
    folder, name = os.path.split(path)
    # Only what is missing is looked for, from the innermost folder that is there.
    there = folder if not folder or os.path.isdir(folder) else _in_other_case(folder)  # noqa: PTH112
    if there is None or not name:
        return None
    inside = there or os.curdir
    names = _names_by_case(inside, os.stat(inside).st_mtime_ns)  # noqa: PTH116
    found = names.get(name.casefold())
    return None if found is None else os.path.join(there, found)  # noqa: PTH118


@lru_cache(_FOLDERS_AT_ONCE)
def _names_by_case(folder: str, _changed: int) -> dict[str, str]:
    return {name.casefold(): name for name in sorted(os.listdir(folder), reverse=True)}  # noqa: PTH208


def open_regular(path: str | Path) -> BinaryIO:
    """Open a regular file's bytes.

    Raises
    ------
    ImageError
        If it is a named pipe, socket, device or folder: a pipe would hang, a device may act; or
        if there can be no such path.
    OSError
        As `open` does.
    """
    try:
        status = os.stat(path)  # noqa: PTH116 - faster, and a path may be text
    except ValueError as error:
        raise ImageError("has a NUL character in its path") from error
    _refuse_special(status)
    file = open(path, "rb", opener=_open_nonblocking)  # noqa: SIM115 - Path.open has no opener
    try:
        # The name may have come to mean something else between the two calls.
        _refuse_special(os.fstat(file.fileno()))
    except BaseException:
        file.close()
        raise
    return file


def _open_nonblocking(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _refuse_special(status: os.stat_result) -> None:
    if (special := what_special(status)) is not None:
        raise ImageError(f"is {special}, not a file")

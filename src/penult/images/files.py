"""Files of this machine, opened without waiting for a device."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

from penult.errors import ImageError
from penult.inputs import what_special

__all__ = ["open_regular"]


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

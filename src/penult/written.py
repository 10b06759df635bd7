"""How files that penult wrote are known again, so that they are not taken for photos."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from penult.output import explain

__all__ = [
    "COMPARISON_FIGURES",
    "CONFUSION",
    "CURVES",
    "LAYERS",
    "NOTES_FILE",
    "PICTURES",
    "SET_ASIDE",
    "SIGNATURE",
    "SIGNED",
    "note_set_aside",
    "note_written",
]

CONFUSION, LAYERS, CURVES = "confusion_matrix.png", "layers.png", "curves.png"

COMPARISON_FIGURES = ("accuracy", "precision", "parameters", "flops", "speed", "cka", "rsa")
"""Figures of a comparison, each in a PNG and an SVG file of that name."""

PICTURES = frozenset([CONFUSION, LAYERS, CURVES, *(f"{name}.png" for name in COMPARISON_FIGURES)])
"""Pictures that are signed, and so known wherever they are moved; a name may be anybody's."""

SIGNED = {"Software": "penult"}
"""What matplotlib is to write into a PNG file beside the picture."""

SIGNATURE = b"tEXtSoftware\0penult"
"""How that looks in the file."""

SET_ASIDE = "set aside"
"""What photos of no certain class are called where a listing leaves them out."""

NOTES_FILE = ".penult-wrote"
"""Where files of any other name are noted, and folders set aside, a JSON object a line."""


def note_set_aside(folder: Path, name: str) -> None:
    """Note in a folder that the one in it of that name holds photos of no certain class.

    Raises
    ------
    OutputError
    """
    _append(folder / NOTES_FILE, {"set_aside": name})


def note_written(
    folder: Path, file: Path, *, copy: bool = False, source: Path | None = None
) -> None:
    """Note in a folder that penult wrote a file in it, or below.

    It is known again by its place and size, and where it is moved to another place below that
    folder, by its name, size and time of change; a copy also by its inode, for the photo that it
    was made of has all three of these.

    Parameters
    ----------
    copy : it is a copy of a photo, to be read as one where the folder is given by itself
    source : the photo's own file, which is never taken for the copy

    Raises
    ------
    OutputError
    """
    try:
        path, status = file.relative_to(folder).as_posix(), file.stat()
        note = {"path": path, "size": status.st_size, "time": status.st_mtime_ns, "copy": copy}
        if copy:  # of a link, not of what it leads to
            note["inode"] = file.lstat().st_ino
    except OSError as error:
        raise explain(error, file) from error
    if source is not None:
        with suppress(OSError):  # it was removed meanwhile
            note["source"] = source.lstat().st_ino
    _append(folder / NOTES_FILE, note)


def _append(notes: Path, note: Mapping[str, Any]) -> None:
    # Appended at once, for others may do the same; and never through a link.
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
    flags |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        descriptor = os.open(notes, flags, 0o666)
        try:
            os.write(descriptor, (json.dumps(note) + "\n").encode())
        finally:
            os.close(descriptor)
    except OSError as error:
        raise explain(error, notes) from error

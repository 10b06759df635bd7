"""The files in a folder that penult itself wrote, which are no photos."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from penult.errors import ImageError
from penult.images.files import open_regular
from penult.written import NOTES_FILE, PICTURES, SIGNATURE

__all__ = ["OwnFiles", "own_file"]

_LINE = 1 << 16  # longer than any note
_HEAD = 1 << 12


@dataclass(frozen=True)
class OwnFiles:
    """What penult wrote into a folder, and below it, by its notes there: see `note_written`.

    Attributes
    ----------
    folder : str
        Its name, for messages.
    below : str
        Its path from the source, with a slash at its end.
    outputs, copies : set of int
        Hashes of what identifies the files, for there may be very many.
    aside : set of str
        Names of the folders in it that hold photos of no certain class: see `note_set_aside`.
    """

    folder: str
    below: str
    outputs: set[int] = field(default_factory=set)
    copies: set[int] = field(default_factory=set)
    aside: set[str] = field(default_factory=set)

    @classmethod
    def read(cls, path: str, folder: str, below: str) -> OwnFiles | None:
        """Read the notes in the folder at `path`; None where there are none."""
        notes = cls(folder, below)
        try:
            with open_regular(Path(path, NOTES_FILE)) as file:
                for line in iter(partial(file.readline, _LINE), b""):
                    notes._add(line)
        except (OSError, ImageError):
            return None
        return notes

    def _add(self, line: bytes) -> None:
        try:
            note = json.loads(line)
            if "set_aside" in note:
                self.aside.add(str(note["set_aside"]))
                return
            path, size, time = str(note["path"]), int(note["size"]), int(note["time"])
            is_copy = bool(note["copy"])
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            return  # cut short by a kill, or not ours
        if is_copy and not self.below:
            return  # the folder was given by itself: copies of photos in it are photos
        name = path.rpartition("/")[2]
        kind = self.copies if is_copy else self.outputs
        kind.update(map(hash, (name, (path, size), (name, size, time))))

    def kind(self, entry: os.DirEntry[str], below: str) -> str | None:
        """``"files"`` or ``"copies"`` where a file is one of them, perhaps moved; else None."""
        name = entry.name
        for kind, known in (("files", self.outputs), ("copies", self.copies)):
            if hash(name) in known:
                try:
                    status = entry.stat()
                except OSError:
                    return None
                path, size = below.removeprefix(self.below) + name, status.st_size
                if hash((path, size)) in known or hash((name, size, status.st_mtime_ns)) in known:
                    return kind
        return None


def own_file(
    entry: os.DirEntry[str], notes: Sequence[OwnFiles], folder: str, below: str
) -> str | None:
    """``"copies in sorted/"`` or ``"files in report/"`` where the file is one of these; else None.

    Parameters
    ----------
    notes : sequence of OwnFiles
        Those of its folder and of the folders above it.
    folder, below : str
        Its folder, as `OwnFiles` have theirs.
    """
    if entry.name in PICTURES and _is_signed(entry.path):
        return f"files in {folder}"
    for one in notes:
        if kind := one.kind(entry, below):
            return f"{kind} in {one.folder}"
    return None


def _is_signed(path: str) -> bool:
    try:
        with open_regular(Path(path)) as file:
            return SIGNATURE in file.read(_HEAD)
    except (OSError, ImageError):
        return False

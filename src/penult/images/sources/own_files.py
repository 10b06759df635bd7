"""The files in a folder that penult itself wrote, which are no photos."""

from __future__ import annotations

import json
import os
import sys
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
    path : str
        The folder.
    folder : str
        Its name, for messages.
    below : str
        Its path from the source, with a slash at its end.
    outputs, copies : set of int
        Hashes of what identifies the files, for there may be very many.
    places : dict of int to str
        The folder that each copy was put into, which a photo of the same name, size and time of
        change does not lie in.
    sources, linked : set of int
        Hashes of what identifies the photos that were copied, and those that hardlinks are.
    aside : set of str
        Names of the folders in it that hold photos of no certain class: see `note_set_aside`.
    """

    path: str
    folder: str
    below: str
    outputs: set[int] = field(default_factory=set)
    copies: set[int] = field(default_factory=set)
    places: dict[int, str] = field(default_factory=dict)
    sources: set[int] = field(default_factory=set)
    linked: set[int] = field(default_factory=set)
    aside: set[str] = field(default_factory=set)

    @classmethod
    def read(cls, path: str, folder: str, below: str) -> OwnFiles | None:
        """Read the notes in the folder at `path`; None where there are none."""
        notes = cls(path, folder, below)
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
            inode, source = int(note.get("inode", 0)), int(note.get("source", 0))
            is_copy = bool(note["copy"])
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            return  # cut short by a kill, or not ours
        if is_copy and not self.below:
            return  # the folder was given by itself: copies of photos in it are photos
        parent, _, name = path.rpartition("/")
        if not is_copy:
            self.outputs.update(map(hash, (name, (path, size), (name, size, time))))
            return
        self.copies.update(map(hash, (name, (path, size), (path, inode, "link"))))
        self.places[hash((name, size, time, inode))] = sys.intern(parent)
        if source:  # a hardlink is its source
            (self.linked if source == inode else self.sources).add(hash((size, source)))

    def kind(self, entry: os.DirEntry[str], below: str) -> str | None:
        """``"files"`` or ``"copies"`` where a file is one of them, perhaps moved; else None."""
        name = entry.name
        is_output, is_copy = hash(name) in self.outputs, hash(name) in self.copies
        if not (is_output or is_copy):
            return None
        path = below.removeprefix(self.below) + name
        try:
            inode = os.lstat(entry.path).st_ino  # not the entry's own: Windows leaves that out
        except OSError:
            return None
        try:
            status = entry.stat()
        except OSError:  # of a link, perhaps, whose photo has gone
            return "copies" if hash((path, inode, "link")) in self.copies else None
        size, time = status.st_size, status.st_mtime_ns
        if is_output and not self.outputs.isdisjoint(map(hash, ((path, size), (name, size, time)))):
            return "files"
        if not is_copy or hash((size, inode)) in self.sources:
            return None
        if hash((path, size)) in self.copies:
            return "copies"
        if hash((size, inode)) in self.linked and status.st_nlink < 2:
            return None  # it is the photo: no link is left
        # The photo that was copied has the name, the size and the time of the copy. So it has to be
        # the very file that was written; or where an older penult did not note which file that
        # was, to lie where photos are sorted to, in the folder of a class or one that is set aside.
        if self._has_moved((name, size, time, inode), inode):
            return "copies"
        sorted_to = path.count("/") in (1, 2)
        return "copies" if sorted_to and self._has_moved((name, size, time, 0), 0) else None

    def _has_moved(self, copy: tuple[str, int, int, int], inode: int) -> bool:
        """Whether there was such a copy, and it no longer is where it was put."""
        parent = self.places.get(hash(copy))
        if parent is None:
            return False
        place = os.path.join(self.path, parent, copy[0])  # noqa: PTH118 - there may be many
        try:
            return os.stat(place).st_size != copy[1] or inode not in (0, os.lstat(place).st_ino)  # noqa: PTH116
        except (OSError, ValueError):
            return True


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

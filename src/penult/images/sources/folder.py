"""Find the image files in a folder."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from penult.images.files import open_regular
from penult.images.labels.annotations import Found, own_name, tops_of
from penult.images.sources.base import Shelf
from penult.images.sources.own_files import Notes, what_penult_wrote
from penult.records import Failure
from penult.texts import Texts

__all__ = ["ARCHIVES", "EXTENSIONS", "FolderShelf", "is_left_out", "printable"]

EXTENSIONS = frozenset(
    [".avif", ".bmp", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"]
)
"""File name extensions taken for images, in any case."""

ARCHIVES = frozenset([".tar", ".parquet"])
"""Files that hold images; a folder's are read where it has no image file."""


def printable(name: str) -> str:
    """A file's name as text; bytes that are not UTF-8 are escaped, and so is NUL."""
    return os.fsencode(name).decode("utf-8", "backslashreplace").replace("\0", r"\x00")


def is_left_out(name: str) -> bool:
    """A hidden file or folder, or what macOS adds to archives."""
    return name.startswith(".") or name == "__MACOSX"


@dataclass(frozen=True)
class _Folder:
    """A folder to be read.

    Attributes
    ----------
    path : where it is
    below : its path from the source, as bytes of its name, with a slash at its end
    parts : the names between the source and it, printable
    above : (device, inode) of the folders above it, the source included
    notes : what penult wrote, by its notes in the folders above
    """

    path: str
    below: bytes
    parts: tuple[str, ...]
    above: frozenset[tuple[int, int]]
    notes: tuple[Notes, ...] = ()


class FolderShelf(Shelf):
    """The images in a folder, in the order of their ids.

    Parameters
    ----------
    root : the folder
    prefix : begins the ids, and is None for an only source
    ignored : real paths of files and folders that are not looked at

    Attributes
    ----------
    archives : files that hold images, by path from the root
    """

    def __init__(self, root: Path, prefix: str | None, ignored: Collection[str] = ()) -> None:
        super().__init__()
        self.archives: list[str] = []
        self._root = str(root)
        self._name = printable(root.name)
        self._prefix = f"{prefix}/" if prefix else ""
        self._own_name, self._tops = own_name(prefix), tops_of(prefix)
        self._ignored = ignored
        self._below = Texts()

    def __len__(self) -> int:
        return len(self._below)

    def scan(self) -> Iterator[Found]:
        """Find the images; a folder that cannot be read is a failure."""
        pending: list[Iterator[_Folder | Found]] = [
            iter([_Folder(self._root, b"", (), frozenset())])
        ]
        while pending:
            entry = next(pending[-1], None)
            if entry is None:
                pending.pop()
            elif isinstance(entry, _Folder):
                try:
                    pending.append(self._read(entry))
                except OSError as error:
                    reason = f"the folder cannot be read ({(error.strerror or str(error)).lower()})"
                    name = self._prefix + "/".join(entry.parts)
                    self.failures.append(Failure(name.rstrip("/") or self._name or ".", reason))
            else:
                yield entry

    def _read(self, folder: _Folder) -> Iterator[_Folder | Found]:
        """Read a folder at once, and give what is in it in the order of the ids."""
        status = os.stat(folder.path)  # noqa: PTH116 - a Path per folder entry would be slow
        identity = (status.st_dev, status.st_ino)
        if identity in folder.above:
            return iter(())  # a link back to where we came from: all in it is found already
        shown = self._prefix + "".join(f"{part}/" for part in folder.parts)
        shown = shown or f"{self._name or '.'}/"
        below = os.fsdecode(folder.below)
        own = Notes.read(folder.path, shown, below)
        notes = folder.notes if own is None else (*folder.notes, own)
        names = []
        with os.scandir(folder.path) as entries:
            for entry in entries:
                name = printable(entry.name)
                if is_left_out(name):
                    continue
                if _is_folder(entry):
                    if os.path.realpath(entry.path) not in self._ignored:
                        names.append(f"{entry.name}/")
                    continue
                if written := what_penult_wrote(entry, notes, shown, below):
                    self.left_out[written] += 1
                    continue
                extension = os.path.splitext(name)[1].lower()  # noqa: PTH122
                if extension in EXTENSIONS:
                    names.append(entry.name)
                elif os.path.realpath(entry.path) not in self._ignored:
                    if extension in ARCHIVES:
                        self.archives.append(os.path.relpath(entry.path, self._root))
                    self.passed_over[extension or "(no extension)"] += 1
        # With their slash, folders come where the ids of what is in them belong.
        names.sort(key=printable)
        return self._in_order(folder, names, folder.above | {identity}, notes)

    def _in_order(
        self,
        folder: _Folder,
        names: list[str],
        above: frozenset[tuple[int, int]],
        notes: tuple[Notes, ...],
    ) -> Iterator[_Folder | Found]:
        before = self._prefix + "".join(f"{part}/" for part in folder.parts)
        around = self._own_name + folder.parts
        for name in names:
            path = os.path.join(folder.path, name)  # noqa: PTH118
            if name.endswith("/"):
                parts = (*folder.parts, printable(name[:-1]))
                below = folder.below + os.fsencode(name)
                yield _Folder(path[:-1], below, parts, above, notes)
            else:
                self._below.append(folder.below + os.fsencode(name))
                yield Found(before + printable(name), path, around, self._tops)

    def id(self, index: int) -> str:
        """Its path from the root."""
        return self._prefix + self._below[index]

    def path(self, index: int) -> Path:
        """The file."""
        return Path(self._root, os.fsdecode(self._below.raw(index)))

    def open(self, index: int) -> BinaryIO:
        """Open the file."""
        return open_regular(self.path(index))

    def place(self, index: int) -> str:
        """The file's path."""
        return repr(str(self.path(index)))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False  # a link to itself, say: if it is named like an image, opening it will tell

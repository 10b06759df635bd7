"""The image files in a folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from penult.images.files import open_regular
from penult.images.labels.annotations import ImageEntry, source_folder, split_candidates
from penult.images.sources.base import (
    ImageSource,
    SourceArgument,
    SourceKind,
    SourceLocation,
    SourceOptions,
    extension_of,
)
from penult.images.sources.file_names import (
    IMAGE_EXTENSIONS,
    escape_undecodable,
    format_by_content,
    is_hidden,
)
from penult.images.sources.own_files import OwnFiles, own_file
from penult.records import Failure
from penult.rows_folders import is_rows_folder
from penult.texts import FileNames
from penult.written import SET_ASIDE

__all__ = ["FOLDER", "FolderSource"]


@dataclass(frozen=True)
class _Folder:
    """A folder to be read.

    Attributes
    ----------
    path : str
        Where it is.
    below : bytes
        Its path from the source, with a slash at its end.
    parts : tuple of str
        The names of the folders from the source to it, as text.
    above : frozenset of (int, int)
        Device and inode of the folders above it, the source included.
    own_files : tuple of OwnFiles
        What penult wrote, by its notes in the folders above.
    aside : str
        Where penult set its photos aside, as none of a class; else "".
    """

    path: str
    below: bytes
    parts: tuple[str, ...]
    above: frozenset[tuple[int, int]]
    own_files: tuple[OwnFiles, ...] = ()
    aside: str = ""


class FolderSource(ImageSource):
    """The images in a folder, in the order of their ids.

    Parameters
    ----------
    root : Path
        The folder.
    prefix : str or None
        Begins the ids; None for an only source.
    options : SourceOptions
        Its `ignored`, `archive_extensions` and `labels_by_folder` are heeded.
    """

    def __init__(self, root: Path, prefix: str | None, options: SourceOptions) -> None:
        super().__init__()
        self._root = str(root)
        self._name = escape_undecodable(root.name)
        self._prefix = f"{prefix}/" if prefix else ""
        self._source_folder, self._candidates = source_folder(prefix), split_candidates(prefix)
        self._ignored, self._archive_extensions = options.ignored, options.archive_extensions
        self._by_folder = options.labels_by_folder
        self._below = FileNames()

    def __len__(self) -> int:
        return len(self._below)

    def scan(self) -> Iterator[ImageEntry]:
        """Find the images; a folder that cannot be read is a failure."""
        pending: list[Iterator[_Folder | ImageEntry]] = [
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

    def _read(self, folder: _Folder) -> Iterator[_Folder | ImageEntry]:
        """Read a folder at once, and give what is in it in the order of the ids."""
        status = os.stat(folder.path)  # noqa: PTH116 - a Path per folder entry would be slow
        identity = (status.st_dev, status.st_ino)
        if identity in folder.above:
            return iter(())  # a link back to where we came from: all in it is found already
        shown = self._prefix + "".join(f"{part}/" for part in folder.parts)
        shown = shown or f"{self._name or '.'}/"
        below = os.fsdecode(folder.below)
        aside = folder.aside
        own = OwnFiles.read(folder.path, shown, below)
        own_files = folder.own_files if own is None else (*folder.own_files, own)
        names = []
        with os.scandir(folder.path) as entries:
            for entry in entries:
                name = escape_undecodable(entry.name)
                if is_hidden(name):
                    continue
                if _is_folder(entry):
                    if is_rows_folder(entry.path):
                        self.left_out[f"files in {shown}{name}/"] += len(os.listdir(entry.path))  # noqa: PTH208
                    elif os.path.realpath(entry.path) not in self._ignored:
                        names.append(f"{entry.name}/")
                    continue
                if written := own_file(entry, own_files, shown, below):
                    self.left_out[written] += 1
                    continue
                extension = extension_of(name)
                if extension in IMAGE_EXTENSIONS and aside:
                    self.left_out[f"{SET_ASIDE} in {aside}"] += 1
                elif extension in IMAGE_EXTENSIONS:
                    names.append(entry.name)
                elif not extension and (found := format_by_content(entry.path)):
                    told = f"has no extension, but is {found[1]}; give it a name with {found[0]}"
                    where = self._prefix + "".join(f"{part}/" for part in folder.parts)
                    self.failures.append(Failure(where + name, told))
                elif os.path.realpath(entry.path) not in self._ignored:
                    if extension in self._archive_extensions:
                        path = "/".join([*folder.parts, name])
                        self.archives.append((Path(entry.path), path))
                    self.passed_over[extension or "(no extension)"] += 1
        # With their slash, folders come where the ids of what is in them belong.
        names.sort(key=escape_undecodable)
        set_aside = own.aside if own is not None and self._by_folder else set()
        return self._in_order(folder, names, folder.above | {identity}, own_files, set_aside)

    def _in_order(
        self,
        folder: _Folder,
        names: list[str],
        above: frozenset[tuple[int, int]],
        own_files: tuple[OwnFiles, ...],
        set_aside: set[str],
    ) -> Iterator[_Folder | ImageEntry]:
        before = self._prefix + "".join(f"{part}/" for part in folder.parts)
        folders = self._source_folder + folder.parts
        for name in names:
            path = os.path.join(folder.path, name)  # noqa: PTH118
            if name.endswith("/"):
                parts = (*folder.parts, escape_undecodable(name[:-1]))
                below = folder.below + os.fsencode(name)
                aside = folder.aside or (before + name if name[:-1] in set_aside else "")
                yield _Folder(path[:-1], below, parts, above, own_files, aside)
            else:
                self._below.append(folder.below + os.fsencode(name))
                yield ImageEntry(before + escape_undecodable(name), path, folders, self._candidates)

    def id(self, index: int) -> str:
        """Its path from the root."""
        return self._prefix + self._below[index]

    def path(self, index: int) -> Path:
        """The file."""
        return Path(self._path(index))

    def opener(self, index: int) -> Callable[[], BinaryIO]:
        """Open the file."""
        return partial(open_regular, self._path(index))

    def _path(self, index: int) -> str:
        return os.path.join(self._root, os.fsdecode(self._below.raw(index)))  # noqa: PTH118

    def place(self, index: int) -> str:
        """The file's path."""
        return repr(str(self.path(index)))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False  # a link to itself, say: if it is named like an image, opening it will tell


def _matches(argument: SourceArgument) -> bool:
    return isinstance(argument, Path) and argument.is_dir()


def _open(location: SourceLocation, options: SourceOptions) -> Iterator[ImageSource]:
    yield FolderSource(Path(location.argument), location.prefix, options)


FOLDER = SourceKind(_matches, _open)

"""Find the image files in folders."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from penult.images.labels import SPLITS, Found
from penult.records import Failure

__all__ = ["EXTENSIONS", "Walk", "printable"]

EXTENSIONS = frozenset(
    [".avif", ".bmp", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"]
)
"""File name extensions taken for images, in any case."""


def printable(name: str) -> str:
    """A file's name as text; bytes that are not UTF-8 are escaped."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


@dataclass(frozen=True)
class _Folder:
    """A folder to be read.

    Attributes
    ----------
    path : where it is
    parts : the names between the source and it, as they are
    above : (device, inode) of the folders above it, the source included
    """

    path: str
    parts: tuple[str, ...]
    above: frozenset[tuple[int, int]]


class Walk:
    """Collects what the sources hold, but for the files and folders to be ignored."""

    def __init__(self, ignored: Sequence[Path]) -> None:
        self.found: list[Found] = []
        self.failures: list[Failure] = []
        self.passed_over: Counter[str] = Counter()
        self._ignored = {os.path.realpath(path) for path in ignored}

    def take(self, source: Path, prefix: str | None) -> None:
        """Add a source; `prefix` begins its ids, and is None for an only source."""
        if not source.is_dir():
            self.found.append(Found(prefix or printable(source.name), source, (), None))
            return
        own_name = () if prefix is None else (prefix.rpartition("/")[2],)
        pending = [_Folder(str(source), (), frozenset())]
        while pending:
            folder = pending.pop()
            id_prefix = "/".join(filter(None, (prefix, *folder.parts)))
            around, split = _split_off(own_name, folder.parts)
            try:
                pending += self._read(folder, id_prefix, around, split)
            except OSError as error:
                reason = f"the folder cannot be read ({(error.strerror or str(error)).lower()})"
                self.failures.append(Failure(id_prefix or printable(source.name) or ".", reason))

    def _read(
        self, folder: _Folder, id_prefix: str, around: tuple[str, ...], split: str | None
    ) -> list[_Folder]:
        status = os.stat(folder.path)  # noqa: PTH116 - a Path per folder entry would be slow
        identity = (status.st_dev, status.st_ino)
        if identity in folder.above:
            return []  # a link back to where we came from: all that is in it is found already
        inner = []
        with os.scandir(folder.path) as entries:
            for entry in entries:
                name = printable(entry.name)
                if name.startswith(".") or name == "__MACOSX":
                    continue
                if _is_folder(entry):
                    if os.path.realpath(entry.path) in self._ignored:
                        continue
                    inner.append(
                        _Folder(entry.path, (*folder.parts, name), folder.above | {identity})
                    )
                    continue
                extension = os.path.splitext(name)[1].lower()  # noqa: PTH122
                if extension in EXTENSIONS:
                    image_id = f"{id_prefix}/{name}" if id_prefix else name
                    self.found.append(Found(image_id, Path(entry.path), around, split))
                elif os.path.realpath(entry.path) not in self._ignored:
                    self.passed_over[extension or "(no extension)"] += 1
        return inner


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False  # a link to itself, say: if it is named like an image, opening it will tell


def _split_off(
    own_name: tuple[str, ...], inside: tuple[str, ...]
) -> tuple[tuple[str, ...], str | None]:
    """Take the folder that names a split out of the folders around an image."""
    if own_name and own_name[0].lower() in SPLITS:
        return inside, SPLITS[own_name[0].lower()]
    if inside and inside[0].lower() in SPLITS:
        return own_name + inside[1:], SPLITS[inside[0].lower()]
    return own_name + inside, None

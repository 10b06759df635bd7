"""Images named one by one: as arguments, in a manifest, or on standard input."""

from __future__ import annotations

import os
import posixpath
import sys
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

from penult.errors import ImageError, SourceError
from penult.images.files import open_regular
from penult.images.labels.annotations import Found, Top
from penult.images.labels.table import Row
from penult.images.sources.base import Shelf
from penult.images.sources.folder import printable
from penult.images.sources.remote.connection import is_url, join, require_network
from penult.images.sources.remote.hosts import host_of, named
from penult.images.sources.remote.source import fetch
from penult.images.sources.spelling import Spelling
from penult.texts import Texts

__all__ = ["FilesShelf", "ListShelf", "lines_on", "standard_input"]

_TOPS = (Top("*", 0),)


class FilesShelf(Shelf):
    """Files that were given one by one, each with its id."""

    def __init__(self, files: Sequence[tuple[str, Path]]) -> None:
        super().__init__()
        self._files = sorted(files)

    def __len__(self) -> int:
        return len(self._files)

    def scan(self) -> Iterator[Found]:
        """A file given by itself is an image, whatever its name."""
        return (Found(name, str(path)) for name, path in self._files)

    def id(self, index: int) -> str:
        """As it was given."""
        return self._files[index][0]

    def path(self, index: int) -> Path:
        """The file."""
        return self._files[index][1]

    def open(self, index: int) -> BinaryIO:
        """Open the file."""
        return open_regular(self.path(index))

    def place(self, index: int) -> str:
        """The file's path."""
        return repr(str(self.path(index)))


class ListShelf(Shelf):
    """Images named by the rows of a list: paths, or addresses.

    The id of an image is that of its row, or else its path as it stands there.

    Parameters
    ----------
    name : of the list, for messages
    rows : reads it
    base : the folder, or address of one, that paths are relative to
    prefix : begins the ids, and is None for an only source
    split : of images of which the list says none, and which lie in no folder named as one
    unit : what the list calls a row, for messages
    offline : refuse addresses that are on the network
    """

    def __init__(
        self,
        name: str,
        rows: Callable[[], Iterable[Row]],
        *,
        base: str,
        prefix: str | None = None,
        split: str | None = None,
        unit: str = "line",
        offline: bool = False,
    ) -> None:
        super().__init__()
        self._name, self._rows, self._base, self._unit = name, rows, base, unit
        self._prefix, self._split = f"{prefix}/" if prefix else "", split
        self._offline = offline
        self._paths, self._ids = Texts(), Texts()
        self._lines = array("q")
        self._hosts: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._lines)

    def scan(self) -> Iterator[Found]:
        """Read the list; that an image is not there is seen when it is opened."""
        spelling = Spelling(self._base)
        for row in self._rows():
            path = row.path if is_url(row.path) or is_url(self._base) else spelling(row.path)
            self._paths.append(os.fsencode(path))
            self._ids.append(row.id.encode())
            self._lines.append(row.line)
            index = len(self._lines) - 1
            address = self._address(index)
            if address and require_network(address, self.place(index), offline=self._offline):
                self.is_remote = True
                if is_url(path):
                    self._hosts[host_of(path)] += 1
            place = None if address else os.path.join(self._base, path)  # noqa: PTH118
            yield Found(
                self.id(index),
                place,
                _folders(path),
                _TOPS,
                row.labels,
                stated=row.split,
                around=self._split,
                group=row.group,
            )

    @property
    def requests(self) -> str:
        """Which hosts will be asked for images that the list names by their addresses."""
        count = self._hosts.total()
        if not count:
            return ""
        return f"{self._name}: {count:,} images will be fetched from {named(self._hosts)}"

    def id(self, index: int) -> str:
        """As the list says, or the path."""
        return self._prefix + (self._ids[index] or _normal(self._paths[index]))

    def path(self, index: int) -> Path | None:
        """The file, unless it is an address."""
        if self._address(index):
            return None
        return Path(self._base, os.fsdecode(self._paths.raw(index)))

    def open(self, index: int) -> BinaryIO:
        """Open the file, or fetch it."""
        address = self._address(index)
        if address:
            return fetch(address)
        try:
            return open_regular(Path(self._base, os.fsdecode(self._paths.raw(index))))
        except (FileNotFoundError, NotADirectoryError) as error:
            raise ImageError(f"is named in {self.place(index)}, but is not there") from error

    def _address(self, index: int) -> str | None:
        path = os.fsdecode(self._paths.raw(index))
        if is_url(path):
            return path
        return join(self._base, path) if is_url(self._base) else None

    def place(self, index: int) -> str:
        """The list and the line in it."""
        return f"{self._name}, {self._unit} {self._lines[index]}"

    def is_same(self, first: int, second: int) -> bool:
        """One file may be named twice."""
        return _normal(self._paths[first]) == _normal(self._paths[second])


def standard_input() -> bytes:
    """Everything on standard input, which can be read only once, and may be asked for again.

    Raises
    ------
    SourceError
    """
    if sys.stdin is None or sys.stdin.isatty():
        raise SourceError(
            "- reads paths from standard input, and nothing is piped there; type e.g.: "
            "find photos -name '*.jpg' | penult extract - -o features.h5"
        )
    return _read(sys.stdin)


@lru_cache(maxsize=1)
def _read(stream: Any) -> bytes:
    data: bytes = stream.buffer.read()
    return data


def lines_on(data: bytes) -> Iterator[Row]:
    """Read paths: one a line, or, where there is a NUL byte, one up to each (``find -print0``)."""
    ends_with = b"\0" if b"\0" in data else b"\n"
    start, line = 0, 0
    while start < len(data):
        end = data.find(ends_with, start)
        end = len(data) if end < 0 else end
        line += 1
        path = data[start:end]
        if ends_with == b"\n":
            path = path.removesuffix(b"\r")
        if path:
            yield Row(line, os.fsdecode(path))
        start = end + 1


def _normal(path: str) -> str:
    return path if is_url(path) else posixpath.normpath(path)


def _folders(path: str) -> tuple[str, ...]:
    below = path.partition("://")[2] if is_url(path) else path
    return tuple(part for part in printable(below).split("/")[:-1] if part not in ("", ".", ".."))

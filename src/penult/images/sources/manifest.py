"""Images named one by one in a manifest: a CSV file, or rows of any other list."""

from __future__ import annotations

import os
import posixpath
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from penult.errors import ImageError
from penult.images.files import did_you_mean, open_regular
from penult.images.labels.annotations import ImageEntry, SplitCandidate, split_of_name
from penult.images.labels.manifest_rows import ManifestRow, csv_rows
from penult.images.sources.base import (
    ImageSource,
    SourceKind,
    SourceLocation,
    SourceOptions,
    extension_of,
)
from penult.images.sources.file_names import escape_undecodable
from penult.images.sources.random_access import RandomAccessFile, random_access
from penult.images.sources.remote.connection import is_url, join, require_network
from penult.images.sources.remote.file import fetch
from penult.images.sources.remote.hosts import describe_hosts, host_of
from penult.images.sources.spelling import Spelling
from penult.texts import FileNames, Numbers, Texts
from penult.wording import count

__all__ = ["CSV", "ManifestSource"]

_CANDIDATES = (SplitCandidate("*", 0),)


class ManifestSource(ImageSource):
    """Images named by rows: paths, or addresses.

    The id of an image is that of its row, or else its path as it stands there.

    Parameters
    ----------
    name : str
        The manifest's name, for messages.
    rows : callable
        Reads it.
    base : str
        The folder, or address of one, that paths are relative to.
    prefix : str, optional
        Begins the ids; None for an only source.
    split : str, optional
        The split of images of which the manifest says none, and which lie in no folder named as
        one.
    unit : str
        What the manifest calls a row, for messages.
    offline : bool
        Whether to refuse addresses that are on the network.
    """

    def __init__(
        self,
        name: str,
        rows: Callable[[], Iterable[ManifestRow]],
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
        self._paths, self._ids = FileNames(), Texts()
        self._lines = Numbers("q")
        self._hosts: Counter[str] = Counter()

    @classmethod
    def of_file(
        cls,
        file: RandomAccessFile,
        rows: Callable[[], Iterable[ManifestRow]],
        location: SourceLocation,
        options: SourceOptions,
        *,
        unit: str = "line",
    ) -> ManifestSource:
        """The images that a file names by their paths from its own folder."""
        name = file.name if file.is_remote else file.name.replace(os.sep, "/")
        return cls(
            file.name,
            rows,
            base=name.rpartition("/")[0] or ("/" if name.startswith("/") else os.curdir),
            prefix=location.prefix,
            split=split_of_name(PurePosixPath(file.name).stem),
            unit=unit,
            offline=options.offline,
        )

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_rows": ()}  # which may be a whole table, and were read

    def __len__(self) -> int:
        return len(self._lines)

    def scan(self) -> Iterator[ImageEntry]:
        """Read the rows; that an image is not there is seen when it is opened."""
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
            yield ImageEntry(
                self.id(index),
                None if address else os.path.join(self._base, path),  # noqa: PTH118
                _folders(path),
                _CANDIDATES,
                row.labels,
                own_split=row.split,
                container_split=self._split,
                group=row.group,
            )

    @property
    def requests(self) -> str:
        """Which hosts will be asked for images that the manifest names by their addresses."""
        images = self._hosts.total()
        if not images:
            return ""
        hosts = describe_hosts(self._hosts)
        return f"{self._name}: {count(images, 'image')} will be fetched from {hosts}"

    def id(self, index: int) -> str:
        """As the manifest says, or the path."""
        return self._prefix + (self._ids[index] or _normal(self._paths[index]))

    def path(self, index: int) -> Path | None:
        """The file, unless it is an address."""
        return None if self._address(index) else Path(self._path(index))

    def opener(self, index: int) -> Callable[[], BinaryIO]:
        """Open the file, or fetch it."""
        address = self._address(index)
        if address:
            return partial(fetch, address)
        return partial(_open_named, self._path(index), self.place(index))

    def _path(self, index: int) -> str:
        return os.path.join(self._base, os.fsdecode(self._paths.raw(index)))  # noqa: PTH118

    def _address(self, index: int) -> str | None:
        path = os.fsdecode(self._paths.raw(index))
        if is_url(path):
            return path
        return join(self._base, path) if is_url(self._base) else None

    def place(self, index: int) -> str:
        """The manifest and the line in it."""
        return f"{self._name}, {self._unit} {self._lines[index]}"

    def is_same(self, first: int, second: int) -> bool:
        """One file may be named twice."""
        return _normal(self._paths[first]) == _normal(self._paths[second])


def _open_named(path: str, place: str) -> BinaryIO:
    try:
        return open_regular(path)
    except (FileNotFoundError, NotADirectoryError) as error:
        looked = f"looked for {path}{did_you_mean(path)}"
        raise ImageError(f"is named in {place}, but is not there ({looked})") from error


def _normal(path: str) -> str:
    return path if is_url(path) else posixpath.normpath(path)


def _folders(path: str) -> tuple[str, ...]:
    below = escape_undecodable(path.partition("://")[2] if is_url(path) else path)
    return tuple(part for part in below.split("/")[:-1] if part not in ("", ".", ".."))


def _open(location: SourceLocation, options: SourceOptions) -> Iterator[ImageSource]:
    file = random_access(location.argument)
    rows = partial(
        csv_rows,
        file.name,
        file.open_stream,
        path=options.path_column,
        label=options.label_column,
    )
    source = ManifestSource.of_file(file, rows, location, options)
    source.named_in = file.name
    yield source


CSV = SourceKind(lambda argument: extension_of(argument) == ".csv", _open, has_label_column=True)

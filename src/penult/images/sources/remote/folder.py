"""Folders at an address: anything that fsspec can list."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from penult.errors import PathNotFoundError, SourceError
from penult.images.labels.annotations import ImageEntry, source_folder, split_candidates
from penult.images.sources.base import (
    ImageSource,
    SourceArgument,
    SourceKind,
    SourceLocation,
    SourceOptions,
    extension_of,
)
from penult.images.sources.file_names import IMAGE_EXTENSIONS, is_hidden
from penult.images.sources.per_process import PerProcess
from penult.images.sources.remote.connection import (
    cause,
    is_missing,
    is_web,
    join,
    open_system,
    with_retries,
)
from penult.images.sources.remote.file import describe, fetch_path, stamp_of
from penult.records import Failure
from penult.texts import Numbers, Texts

__all__ = ["REMOTE_FOLDER", "RemoteSource"]


class RemoteSource(ImageSource):
    """The images below an address, in the order of their ids.

    Parameters
    ----------
    url : str
        The address of a folder, a bucket or a part of one.
    prefix : str or None
        Begins the ids; None for an only source.
    archive_extensions : frozenset of str
        Extensions of files that may be sources themselves.
    """

    is_remote = True

    def __init__(
        self, url: str, prefix: str | None, archive_extensions: frozenset[str] = frozenset()
    ) -> None:
        super().__init__()
        self._url = url
        self._archive_extensions = archive_extensions
        self._connection = PerProcess(open_system, url)
        self._root = self._connection()[1].rstrip("/")
        self._prefix = f"{prefix}/" if prefix else ""
        self._source_folder, self._candidates = source_folder(prefix), split_candidates(prefix)
        self._below = Texts()
        self._sizes, self._stamps = Numbers("q"), Numbers("q")

    def __len__(self) -> int:
        return len(self._below)

    def scan(self) -> Iterator[ImageEntry]:
        """Find the images, folder by folder."""
        pending: list[Iterator[tuple[str, dict[str, Any]]]] = [self._read("")]
        while pending:
            below, info = next(pending[-1], ("", {}))
            if not below:
                pending.pop()
            elif below.endswith("/"):
                try:
                    pending.append(self._read(below))
                except SourceError as error:
                    self.failures.append(Failure(self._prefix + below.rstrip("/"), str(error)))
            else:
                self._below.append(below.encode("utf-8", "surrogateescape"))
                self._sizes.append(int(info.get("size") or 0))
                self._stamps.append(stamp_of(info))
                folders = self._source_folder + tuple(below.split("/")[:-1])
                yield ImageEntry(self._prefix + below, None, folders, self._candidates)

    def _read(self, folder: str) -> Iterator[tuple[str, dict[str, Any]]]:
        path = f"{self._root}/{folder}".rstrip("/")
        system, _ = self._connection()
        if is_web(system):
            path += "/"  # some servers know a folder by that alone
        try:
            listed = with_retries(lambda: system.ls(path, detail=True))
        except Exception as error:
            if is_missing(error):
                raise PathNotFoundError(f"there is nothing at {self._url}") from error
            url = join(self._url, folder)
            raise SourceError(f"{url} cannot be listed ({cause(error)})") from error
        entries = []
        for info in listed:
            full = info["name"].rstrip("/")
            name = full.rpartition("/")[2]
            if full != f"{self._root}/{folder}{name}" or not name or is_hidden(name):
                continue  # S3 lists a folder within itself; a web page links to anything
            if info["type"] == "directory":
                entries.append((f"{folder}{name}/", info))
                continue
            dot = name.rfind(".")
            extension = name[dot:].lower() if dot > 0 else ""
            if extension in IMAGE_EXTENSIONS:
                entries.append((folder + name, info))
            else:
                if extension in self._archive_extensions:
                    self.archives.append((join(self._url, folder + name), folder + name))
                self.passed_over[extension or "(no extension)"] += 1
        entries.sort(key=lambda entry: entry[0])
        return iter(entries)

    def id(self, index: int) -> str:
        """Its path from the address."""
        return self._prefix + self._below[index]

    def opener(self, index: int) -> Callable[[], BinaryIO]:
        """Fetch it."""
        path = f"{self._root}/{self._below[index]}"
        return partial(fetch_path, self._connection, path, self._sizes[index])

    def stamp(self, index: int) -> Any:
        """From what the listing said of it."""
        return self._stamps[index]

    def place(self, index: int) -> str:
        """Its address."""
        return join(self._url, self._below[index])


def _matches(argument: SourceArgument) -> bool:
    """Whether an address is that of a folder; of http and https, one that ends with a slash."""
    if isinstance(argument, Path) or extension_of(argument) in IMAGE_EXTENSIONS:
        return False
    if argument.lower().startswith(("http:", "https:")):
        return argument.endswith("/")
    return bool(describe(argument)["type"] == "directory")


def _open(location: SourceLocation, options: SourceOptions) -> Iterator[ImageSource]:
    yield RemoteSource(str(location.argument), location.prefix, options.archive_extensions)


REMOTE_FOLDER = SourceKind(_matches, _open)

"""Images at an address: anything that fsspec can reach."""

from __future__ import annotations

import hashlib
import io
from array import array
from collections.abc import Iterator
from typing import Any, BinaryIO

from penult.errors import ImageError, PathNotFoundError, PenultError, SourceError
from penult.images.labels.annotations import Found, own_name, tops_of
from penult.images.sources.base import Shelf
from penult.images.sources.folder import ARCHIVES, EXTENSIONS, is_left_out
from penult.images.sources.remote.connection import (
    cause,
    is_missing,
    join,
    open_system,
    persistently,
)
from penult.records import Failure
from penult.texts import Texts

__all__ = ["RemoteBlob", "RemoteShelf", "fetch", "is_folder"]

_READ_AHEAD = 4 << 20
_TOO_LARGE = 1 << 31  # bytes; an image of the most pixels that are allowed is smaller


def fetch(url: str) -> BinaryIO:
    """Get the bytes at an address.

    Raises
    ------
    ImageError
        After a lasting error, or several passing ones.
    """
    system, path = open_system(url)
    return _fetch(system, path)


def _fetch(system: Any, path: str, start: int | None = None, end: int | None = None) -> BinaryIO:
    try:
        return io.BytesIO(persistently(lambda: system.cat_file(path, start=start, end=end)))
    except PenultError:
        raise
    except Exception as error:  # whatever the library of that address raises
        raise ImageError(f"cannot be fetched ({cause(error)})") from error


def is_folder(url: str) -> bool:
    """Whether an address is that of a folder; of http and https, one that ends with a slash.

    Raises
    ------
    PathNotFoundError, SourceError
    """
    if url.lower().startswith(("http:", "https:")):
        return url.endswith("/")
    return bool(_info(url)["type"] == "directory")


def _info(url: str) -> dict[str, Any]:
    system, path = open_system(url)
    try:
        found: dict[str, Any] = persistently(lambda: system.info(path))
    except Exception as error:
        if is_missing(error):
            raise PathNotFoundError(f"there is nothing at {url}") from error
        raise SourceError(f"{url} cannot be reached ({cause(error)})") from error
    return found


class RemoteShelf(Shelf):
    """The images below an address, in the order of their ids.

    Parameters
    ----------
    url : of a folder, a bucket or a part of one
    prefix : begins the ids, and is None for an only source

    Attributes
    ----------
    archives : addresses of files that hold images, and their paths from `url`
    """

    is_remote = True

    def __init__(self, url: str, prefix: str | None) -> None:
        super().__init__()
        self.archives: list[tuple[str, str]] = []
        self._url = url
        self._system, root = open_system(url)
        self._root = root.rstrip("/")
        self._prefix = f"{prefix}/" if prefix else ""
        self._own_name, self._tops = own_name(prefix), tops_of(prefix)
        self._below = Texts()
        self._sizes, self._stamps = array("q"), array("q")

    def __len__(self) -> int:
        return len(self._below)

    def scan(self) -> Iterator[Found]:
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
                self._stamps.append(_stamp(info))
                folders = self._own_name + tuple(below.split("/")[:-1])
                yield Found(self._prefix + below, None, folders, self._tops)

    def _read(self, folder: str) -> Iterator[tuple[str, dict[str, Any]]]:
        path = f"{self._root}/{folder}".rstrip("/")
        if _is_web(self._system):
            path += "/"  # some servers know a folder by that alone
        try:
            listed = persistently(lambda: self._system.ls(path, detail=True))
        except Exception as error:
            if is_missing(error):
                raise PathNotFoundError(f"there is nothing at {self._url}") from error
            url = join(self._url, folder)
            raise SourceError(f"{url} cannot be listed ({cause(error)})") from error
        entries = []
        for info in listed:
            full = info["name"].rstrip("/")
            name = full.rpartition("/")[2]
            if full != f"{self._root}/{folder}{name}" or not name or is_left_out(name):
                continue  # S3 lists a folder within itself; a web page links to anything
            if info["type"] == "directory":
                entries.append((f"{folder}{name}/", info))
                continue
            dot = name.rfind(".")
            extension = name[dot:].lower() if dot > 0 else ""
            if extension in EXTENSIONS:
                entries.append((folder + name, info))
            else:
                if extension in ARCHIVES:
                    self.archives.append((join(self._url, folder + name), folder + name))
                self.passed_over[extension or "(no extension)"] += 1
        entries.sort(key=lambda entry: entry[0])
        return iter(entries)

    def id(self, index: int) -> str:
        """Its path from the address."""
        return self._prefix + self._below[index]

    def open(self, index: int) -> BinaryIO:
        """Fetch it."""
        if self._sizes[index] > _TOO_LARGE:
            raise ImageError(f"has {self._sizes[index]:,} bytes, too many for an image")
        return _fetch(self._system, f"{self._root}/{self._below[index]}")

    def stamp(self, index: int) -> Any:
        """From what the listing said of it."""
        return self._stamps[index]

    def place(self, index: int) -> str:
        """Its address."""
        return join(self._url, self._below[index])


class RemoteBlob:
    """A large file at an address, read in pieces."""

    is_remote = True

    def __init__(self, url: str) -> None:
        self.name = url
        info = _info(url)
        self.size = int(info.get("size") or 0)
        self.stamp = _stamp(info)
        self._system, self._path = open_system(url)

    def file(self) -> BinaryIO:
        """Open it for reading here and there; what is read is fetched with what follows it."""
        opened = self._open()
        try:
            if _is_web(self._system):
                persistently(lambda: _read_last_byte(opened, self.size))
        except ValueError as error:
            raise SourceError(
                f"{self.name} cannot be read in pieces: its server sends it whole, or does not say "
                f"how large it is; download it, and give the file"
            ) from error
        except Exception as error:
            raise SourceError(f"{self.name} cannot be read ({cause(error)})") from error
        return io.BufferedReader(_Patient(opened), 1 << 16)

    def stream(self) -> BinaryIO:
        """Open it for reading from its beginning on."""
        return io.BufferedReader(_Patient(self._open()), 1 << 16)

    def _open(self) -> Any:
        try:
            return self._system.open(
                self._path, "rb", block_size=_READ_AHEAD, cache_type="readahead", size=self.size
            )
        except Exception as error:
            raise SourceError(f"{self.name} cannot be read ({cause(error)})") from error

    def part(self, offset: int, size: int) -> BinaryIO:
        """Fetch some of its bytes."""
        if size > _TOO_LARGE:
            raise ImageError(f"has {size:,} bytes, too many for an image")
        return _fetch(self._system, self._path, offset, offset + size)


class _Patient(io.RawIOBase):
    """A file of fsspec's that asks again."""

    def __init__(self, file: Any) -> None:
        self._file, self._at = file, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._file.size}[whence]
        self._at = start + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        def read() -> bytes:
            self._file.seek(min(self._at, self._file.size))
            data: bytes = self._file.read(len(buffer))
            return data

        try:
            data = persistently(read)
        except Exception as error:
            raise OSError(cause(error)) from error
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()


def _is_web(system: Any) -> bool:
    return "http" in system.protocol


def _read_last_byte(file: Any, size: int) -> None:
    """Raise `ValueError` where a web server gives no part of a file but its beginning."""
    file.seek(max(0, size - 1))
    file.read(1)
    file.seek(0)


def _stamp(info: dict[str, Any]) -> int:
    """A number that is another one if the file is another one, as far as its listing tells."""
    names = ("ETag", "etag", "md5Hash", "LastModified", "mtime", "created", "size")
    said = [str(info[name]) for name in names if info.get(name) is not None]
    digest = hashlib.blake2b("\0".join(said).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)

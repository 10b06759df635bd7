"""One file at an address, fetched whole or read in pieces."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from penult.errors import ImageError, PathNotFoundError, PenultError, SourceError
from penult.images.sources.per_process import PerProcess
from penult.images.sources.remote.connection import (
    cause,
    is_missing,
    is_web,
    open_system,
    with_retries,
)

__all__ = ["RemoteFile", "describe", "fetch", "fetch_path", "stamp_of"]

_READ_AHEAD = 4 << 20
_MOST_BYTES = 1 << 31  # an image of the most pixels that are allowed is smaller


def fetch(url: str) -> BinaryIO:
    """Get the bytes at an address.

    Raises
    ------
    ImageError
        After a lasting error, or several passing ones.
    """
    system, path = open_system(url)
    return _fetch(system, path, None, None)


def fetch_path(
    connection: PerProcess[tuple[Any, str]],
    path: str,
    size: int,
    start: int | None = None,
    end: int | None = None,
) -> BinaryIO:
    """Get the bytes of a file, or a part of them, through an opened connection.

    Parameters
    ----------
    connection : PerProcess
        Of `open_system`, to any place of the same system.
    path : str
        What the system calls the file.
    size : int
        How many bytes that will be; too many for an image are refused.
    start, end : int, optional
        The part of the file.

    Raises
    ------
    ImageError
        After a lasting error, or several passing ones.
    """
    if size > _MOST_BYTES:
        raise ImageError(f"has {size:,} bytes, too many for an image")
    return _fetch(connection()[0], path, start, end)


def _fetch(system: Any, path: str, start: int | None, end: int | None) -> BinaryIO:
    try:
        return io.BytesIO(with_retries(lambda: system.cat_file(path, start=start, end=end)))
    except PenultError:
        raise
    except Exception as error:  # whatever the library of that address raises
        raise ImageError(f"cannot be fetched ({cause(error)})") from error


def describe(url: str) -> dict[str, Any]:
    """What the library tells of the file or folder at an address, fsspec's ``info``.

    Raises
    ------
    PathNotFoundError, SourceError
    """
    system, path = open_system(url)
    try:
        info: dict[str, Any] = with_retries(lambda: system.info(path))
    except Exception as error:
        if is_missing(error):
            raise PathNotFoundError(f"there is nothing at {url}") from error
        raise SourceError(f"{url} cannot be reached ({cause(error)})") from error
    return info


def stamp_of(info: dict[str, Any]) -> int:
    """A number that is another one if the file is another one, as far as its `describe` tells."""
    names = ("ETag", "etag", "md5Hash", "LastModified", "mtime", "created", "size")
    told = [str(info[name]) for name in names if info.get(name) is not None]
    digest = hashlib.blake2b("\0".join(told).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)


@dataclass(frozen=True)
class RemoteFile:
    """A large file at an address, read in pieces; see `RandomAccessFile`."""

    name: str
    size: int
    stamp: int
    connection: PerProcess[tuple[Any, str]] = field(compare=False)
    is_remote = True

    @classmethod
    def at(cls, url: str) -> RemoteFile:
        """The file at an address.

        Raises
        ------
        PathNotFoundError, SourceError
        """
        info = describe(url)
        connection = PerProcess(open_system, url)
        return cls(url, int(info.get("size") or 0), stamp_of(info), connection)

    def open(self) -> BinaryIO:
        """Open it for reading here and there; what is read is fetched with what follows it."""
        opened = self._open()
        try:
            if is_web(self.connection()[0]):
                with_retries(lambda: _read_last_byte(opened, self.size))
        except ValueError as error:
            raise SourceError(
                f"{self.name} cannot be read in pieces: its server sends it whole, or does not say "
                f"how large it is; download it, and give the file"
            ) from error
        except Exception as error:
            raise SourceError(f"{self.name} cannot be read ({cause(error)})") from error
        return io.BufferedReader(_RetryingFile(opened), 1 << 16)

    def open_stream(self) -> BinaryIO:
        """Open it for reading from its beginning on."""
        return io.BufferedReader(_RetryingFile(self._open()), 1 << 16)

    def _open(self) -> Any:
        system, path = self.connection()
        try:
            return system.open(
                path, "rb", block_size=_READ_AHEAD, cache_type="readahead", size=self.size
            )
        except Exception as error:
            raise SourceError(f"{self.name} cannot be read ({cause(error)})") from error

    def open_range(self, offset: int, size: int) -> BinaryIO:
        """Fetch some of its bytes."""
        return fetch_path(self.connection, self.connection()[1], size, offset, offset + size)


class _RetryingFile(io.RawIOBase):
    """A file of fsspec's that is asked again where an error may pass."""

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
            data = with_retries(read)
        except Exception as error:
            raise OSError(cause(error)) from error
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()


def _read_last_byte(file: Any, size: int) -> None:
    """Raise `ValueError` where a web server gives no part of a file but its beginning."""
    file.seek(max(0, size - 1))
    file.read(1)
    file.seek(0)

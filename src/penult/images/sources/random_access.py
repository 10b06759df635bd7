"""Large files that hold many images, read in pieces, on this machine."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from penult.errors import ImageError, SourceError
from penult.images.files import open_regular

__all__ = ["Blob", "LocalBlob", "Window"]


class Blob(Protocol):
    """A file, wherever it is, that does not change while it is read.

    Attributes
    ----------
    name : as it was given
    size : in bytes
    stamp : JSON; another one if the file is another one
    is_remote : reading it waits for the network
    """

    name: str
    size: int
    stamp: Any
    is_remote: bool

    def file(self) -> BinaryIO:
        """Open it for reading here and there.

        Raises
        ------
        SourceError
        """

    def stream(self) -> BinaryIO:
        """Open it for reading from its beginning on.

        Raises
        ------
        SourceError
        """

    def part(self, offset: int, size: int) -> BinaryIO:
        """Open some of its bytes; from any thread.

        Raises
        ------
        ImageError, OSError
        """


class LocalBlob:
    """A file of this machine."""

    is_remote = False

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._path = path
        try:
            status = path.stat()
        except OSError as error:
            raise SourceError(f"{path} cannot be read: {error.strerror}") from error
        self.size = status.st_size
        self.stamp = [status.st_size, status.st_mtime_ns]

    def file(self) -> BinaryIO:
        """Open it for reading here and there."""
        try:
            return open_regular(self._path)
        except ImageError as error:
            raise SourceError(f"{self._path} {error}") from error
        except OSError as error:
            raise SourceError(f"{self._path} cannot be read: {error.strerror}") from error

    def stream(self) -> BinaryIO:
        """Open it for reading from its beginning on."""
        return self.file()

    def part(self, offset: int, size: int) -> BinaryIO:
        """Open some of its bytes; refused if the file is not the one that was listed."""
        file = open_regular(self._path)
        status = os.fstat(file.fileno())
        if [status.st_size, status.st_mtime_ns] != self.stamp:
            file.close()
            raise ImageError(f"cannot be read: {self._path.name} has changed since it was listed")
        file.seek(offset)
        return io.BufferedReader(Window(file, size))


class Window(io.RawIOBase):
    """The next `size` bytes of a file, which it closes when it is closed itself."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file, self._left = file, size

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what is left of the window, or of the file, or what fits into the buffer."""
        view = memoryview(buffer)[: self._left]
        count: int = self._file.readinto(view)  # type: ignore[attr-defined]
        self._left -= count
        return count

    def close(self) -> None:
        """Close the file as well."""
        self._file.close()
        super().close()

"""Large files that hold many images, read in pieces."""

from __future__ import annotations

import io
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from penult.errors import ImageError, SourceError
from penult.images.files import open_regular
from penult.images.sources.base import SourceArgument
from penult.images.sources.remote.file import RemoteFile
from penult.inputs import unreadable

__all__ = ["RandomAccessFile", "Window", "random_access"]

_SMALL = 1 << 20  # bytes that are read at once

_of_this_thread = threading.local()


class RandomAccessFile(Protocol):
    """A file, wherever it is, that does not change while it is read.

    It is hashable and can be pickled: it holds nothing that is open.

    Attributes
    ----------
    name : str
        The path or address, as it was given.
    size : int
        In bytes.
    stamp : object
        JSON; another one if the file is another one.
    is_remote : bool
        Whether reading it waits for the network.
    """

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def size(self) -> int: ...  # noqa: D102
    @property
    def stamp(self) -> Any: ...  # noqa: D102
    @property
    def is_remote(self) -> bool: ...  # noqa: D102

    def open(self) -> BinaryIO:
        """Open it for reading here and there.

        Raises
        ------
        SourceError
        """

    def open_stream(self) -> BinaryIO:
        """Open it for reading from its beginning on.

        Raises
        ------
        SourceError
        """

    def open_range(self, offset: int, size: int) -> BinaryIO:
        """Open some of its bytes; from any thread.

        Raises
        ------
        ImageError, OSError
        """


def random_access(argument: SourceArgument) -> RandomAccessFile:
    """The file at a path or an address.

    Raises
    ------
    PathNotFoundError, SourceError
    """
    return _LocalFile.at(argument) if isinstance(argument, Path) else RemoteFile.at(argument)


@dataclass(frozen=True)
class _LocalFile:
    """A file of this machine."""

    name: str
    size: int
    modified: int
    is_remote = False

    @classmethod
    def at(cls, path: Path) -> _LocalFile:
        try:
            status = path.stat()
        except OSError as error:
            raise unreadable(path, error) from error
        return cls(str(path), status.st_size, status.st_mtime_ns)

    @property
    def stamp(self) -> list[int]:
        return [self.size, self.modified]

    def open(self) -> BinaryIO:
        try:
            return open_regular(Path(self.name))
        except ImageError as error:
            raise SourceError(f"{self.name} {error}") from error
        except OSError as error:
            raise unreadable(self.name, error) from error

    def open_stream(self) -> BinaryIO:
        return self.open()

    def open_range(self, offset: int, size: int) -> BinaryIO:
        if size <= _SMALL and hasattr(os, "pread"):  # not on Windows
            file = self._kept_open()
            return io.BytesIO(os.pread(file.fileno(), size, offset))
        whole = open_regular(self.name)
        try:
            self._require_same(os.fstat(whole.fileno()))
        except ImageError:
            whole.close()
            raise
        whole.seek(offset)
        return io.BufferedReader(Window(whole, size))

    def _kept_open(self) -> BinaryIO:
        """Open the file, or find it where this thread has opened it last.

        Each call of the system lets another thread have the interpreter, and may wait for it.
        """
        status = os.stat(self.name)  # noqa: PTH116 - faster
        self._require_same(status)
        kept: _KeptOpen | None = getattr(_of_this_thread, "file", None)
        if kept is None or kept.identity != (self.name, status.st_dev, status.st_ino):
            _of_this_thread.file = None
            kept = _KeptOpen(self.name)
            self._require_same(os.fstat(kept.file.fileno()))
            _of_this_thread.file = kept
        return kept.file

    def _require_same(self, status: os.stat_result) -> None:
        if (status.st_size, status.st_mtime_ns) != (self.size, self.modified):
            name = Path(self.name).name
            raise ImageError(f"cannot be read: {name} has changed since it was listed")


class _KeptOpen:
    """An open file, closed when the thread is gone that has it."""

    def __init__(self, name: str) -> None:
        self.file = open_regular(name)
        status = os.fstat(self.file.fileno())
        self.identity = name, status.st_dev, status.st_ino

    def __del__(self) -> None:
        if hasattr(self, "file"):
            self.file.close()


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

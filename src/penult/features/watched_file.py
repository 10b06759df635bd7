"""A file that HDF5 can write to when the disk is full without taking the process down."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

__all__ = ["WatchedFile"]


class WatchedFile(io.RawIOBase):
    """A file for h5py's file-object driver that keeps the first error instead of passing it on.

    HDF5 does not survive a failed write: it cannot flush its caches any more, and crashes when the
    file is closed. So a write that fails is remembered here and reported as done, and `check`,
    called after each block and at the end, raises what was remembered; the file is then thrown
    away.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._file = path.open("w+b", buffering=0)
        self._error: OSError | None = None

    def check(self) -> None:
        """Raise the first error met, if any.

        Raises
        ------
        OSError
        """
        if self._error is not None:
            raise self._error

    def readable(self) -> bool:
        """HDF5 reads back what it wrote."""
        return True

    def writable(self) -> bool:
        """It is for writing."""
        return True

    def seekable(self) -> bool:
        """HDF5 writes anywhere in it."""
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move to an offset in bytes."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the offset in bytes."""
        return self._file.tell()

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer from the file."""
        view = memoryview(buffer).cast("B")
        got = self._file.readinto(view) or 0
        # What was never written reads as zeros, as in a sparse file.
        view[got:] = bytes(len(view) - got)
        return len(view)

    def write(self, data: Any) -> int:
        """Write all of the data, or remember why not."""
        view = memoryview(data).cast("B")
        size, done = len(view), 0
        while done < size and self._error is None:
            try:
                # A disk that fills up first takes a part; only the next write says why.
                done += self._file.write(view[done:]) or 0
            except OSError as error:
                self._error = error
        return size

    def truncate(self, size: int | None = None) -> int:
        """Set the size, or remember why not."""
        if self._error is None:
            try:
                return self._file.truncate(size)
            except OSError as error:
                self._error = error
        return size if size is not None else self.tell()

    def flush(self) -> None:
        """Do nothing: there is no buffer."""

    def close(self) -> None:
        """Close the file; never raises for what was remembered."""
        if not self.closed:
            self._file.close()
        super().close()

"""Arrays that are computed once: in memory up to a bound, then in a file up to another."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Hashable
from pathlib import Path
from threading import Lock
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from penult.machine import free_memory

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ArrayStore"]

_MEMORY_SHARE = 0.25  # of what is free
_DISK_SHARE = 0.5


class ArrayStore:
    """Keeps arrays by a key, as long as there is room; safe to call from any thread.

    Parameters
    ----------
    folder : Path
        Where a file is made of what memory has no room for. It has no name there, and vanishes with
        the store, or with the process.
    memory, disk : int, optional
        Bytes; by default a quarter of the memory, and half of the disk, that is free now.
    sharers : int
        How many processes take their part of that, at about the same time.

    Attributes
    ----------
    memory_left, disk_left : int
        Bytes for which there is room.
    """

    def __init__(
        self,
        folder: Path,
        *,
        memory: int | None = None,
        disk: int | None = None,
        sharers: int = 1,
    ) -> None:
        self._folder = folder
        if memory is None:
            memory = int(_MEMORY_SHARE * free_memory() / sharers)
        if disk is None:
            disk = int(_DISK_SHARE * shutil.disk_usage(folder).free / sharers)
        self.memory_left, self.disk_left = memory, disk
        self._arrays: dict[Hashable, NDArray[Any]] = {}
        self._places: dict[Hashable, tuple[int, np.dtype[Any], tuple[int, ...]]] = {}
        self._file: IO[bytes] | None = None
        self._end = 0
        self._lock = Lock()

    def put(self, key: Hashable, array: NDArray[Any]) -> bool:
        """Keep an array, if there is room for it; say whether it is kept."""
        with self._lock:
            if key in self._arrays or key in self._places:
                return True
            if array.nbytes <= self.memory_left:
                self.memory_left -= array.nbytes
                self._arrays[key] = array
                return True
            return self._write(key, array)

    def get(self, key: Hashable) -> NDArray[Any] | None:
        """Give what is kept, which is not to be changed; None where nothing is."""
        if (array := self._arrays.get(key)) is not None:
            return array
        if (place := self._places.get(key)) is None:
            return None
        start, dtype, shape = place
        size = dtype.itemsize * int(np.prod(shape, dtype=np.int64))
        with self._lock:
            assert self._file is not None
            self._file.seek(start)
            # Not mapped: what a mapping cannot read ends the process.
            data = self._file.read(size)
        return np.frombuffer(data, dtype).reshape(shape)

    def _write(self, key: Hashable, array: NDArray[Any]) -> bool:
        if array.nbytes > self.disk_left:
            return False
        written = 0
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(dir=self._folder, buffering=0)  # noqa: SIM115
                weakref.finalize(self, self._file.close)
            self._file.seek(self._end)
            written = self._file.write(np.ascontiguousarray(array).data)
        except OSError:
            pass
        if written != array.nbytes:  # the disk is full after all
            self.disk_left = 0
            return False
        self._places[key] = self._end, array.dtype, array.shape
        self._end += array.nbytes
        self.disk_left -= array.nbytes
        return True

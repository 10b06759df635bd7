"""Where HDF5 keeps texts: in heaps, and one that is damaged would keep it reading for ever."""

from __future__ import annotations

import mmap
import os
import re
import struct
from collections.abc import Iterable
from pathlib import Path

__all__ = ["has_endless_heap"]

_HEAP = re.compile(rb"GCOL\x01\0\0\0")  # signature, version, three bytes of nothing
_ENTRY = struct.Struct("<H6xQ")  # number, what does not matter here, size
_SCANNED = 16 << 20  # what HDF5 reads on opening a file lies at its beginning


def has_endless_heap(
    path: str | Path, places: Iterable[int] | None = None, *, within: int = _SCANNED
) -> bool:
    """Whether the entries of a heap do not add up to its size.

    HDF5 goes from entry to entry, without asking whether that brings it any further.

    Parameters
    ----------
    places : where in the file the heaps are; by default they are looked for
    within : this many bytes from its beginning

    Raises
    ------
    OSError
    """
    with Path(path).open("rb") as file:
        if not os.fstat(file.fileno()).st_size:
            return False
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            if places is None:
                places = [found.start() for found in _HEAP.finditer(data, 0, within)]
            return not all(_adds_up(data, place) for place in places if _HEAP.match(data, place))


def _adds_up(data: mmap.mmap, at: int) -> bool:
    end = at + int.from_bytes(data[at + 8 : at + 16], "little")
    at += 16
    while at + _ENTRY.size <= min(end, len(data)):
        entry: tuple[int, int] = _ENTRY.unpack_from(data, at)
        number, length = entry
        if number == 0:
            return length == end - at  # what is free, up to the end
        at += _ENTRY.size + (length + 7) // 8 * 8
    return at <= end or end > len(data)

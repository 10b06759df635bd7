"""Where HDF5 keeps texts: in heaps, and one that is damaged would keep it reading for ever."""

from __future__ import annotations

import re
import struct
from pathlib import Path

__all__ = ["has_endless_heap"]

_HEAP = re.compile(rb"GCOL\x01\0\0\0")  # signature, version, three bytes of nothing
_ENTRY = struct.Struct("<H6xQ")  # number, what does not matter here, size
_SCANNED = 16 << 20  # what HDF5 reads on opening a file lies at its beginning


def has_endless_heap(path: Path) -> bool:
    """Whether the entries of a heap do not add up to its size, in the first 16 MB of a file.

    HDF5 goes from entry to entry, without asking whether that brings it any further.

    Raises
    ------
    OSError
    """
    with path.open("rb") as file:
        data = file.read(_SCANNED)
    return not all(_adds_up(data, found.start()) for found in _HEAP.finditer(data))


def _adds_up(data: bytes, at: int) -> bool:
    if at + 16 > len(data):
        return True  # the rest was not read
    end = at + int.from_bytes(data[at + 8 : at + 16], "little")
    at += 16
    while at + _ENTRY.size <= min(end, len(data)):
        entry: tuple[int, int] = _ENTRY.unpack_from(data, at)
        number, length = entry
        if number == 0:
            return length == end - at  # what is free, up to the end
        at += _ENTRY.size + (length + 7) // 8 * 8
    return at <= end or end > len(data)

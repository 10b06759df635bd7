"""Files that are made of boxes, each of which says how long it is: HEIF, AVIF, JPEG 2000."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["Box", "boxes", "brands", "end_of_boxes"]

_BRANDS_READ = 256  # bytes of the first box; no file has more


class Box(NamedTuple):
    """The name of a box, and where its content begins and ends, be that behind the file's end."""

    name: bytes
    begin: int
    end: int


def boxes(data: bytes, begin: int = 0, end: int | None = None) -> Iterator[Box]:
    """Go through the boxes that follow each other from `begin`, up to one that is cut off."""
    end = len(data) if end is None else min(end, len(data))
    while begin + 8 <= end:
        length, name, head = int.from_bytes(data[begin : begin + 4]), data[begin + 4 : begin + 8], 8
        if length == 1:
            length, head = int.from_bytes(data[begin + 8 : begin + 16]), 16
        elif length == 0:  # up to the end of all
            length = end - begin
        if length < head:
            return
        yield Box(name, begin + head, begin + length)
        begin += length


def brands(data: bytes) -> tuple[bytes, ...]:
    """What a file says that it is, the main one first; () if it is not made of such boxes."""
    if data[4:8] != b"ftyp":
        return ()
    end = min(int.from_bytes(data[:4]), _BRANDS_READ)
    return (data[8:12], *(data[at : at + 4] for at in range(16, end, 4)))


def end_of_boxes(data: bytes) -> int:
    """How long a file is by what its boxes say; 0 if it is not made of them."""
    if data[4:8] not in (b"ftyp", b"jP  "):
        return 0
    return max((box.end for box in boxes(data)), default=0)

"""The items of a HEIF file (pictures, tiles, metadata): what they are, where, and of what made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from penult.images.pixels.boxes import Box, boxes

__all__ = ["Items", "read_items"]


@dataclass
class Items:
    """What the box ``meta`` of a HEIF file says; empty where there is none.

    Attributes
    ----------
    main : int
        The item that is the picture.
    kinds : dict of int to bytes
        What each item is: ``hvc1`` (HEVC), ``grid`` (tiles), ``Exif``.
    pieces : dict of int to list of (int, int)
        (offset, length) in the file of each piece of an item's data.
    parts : dict of int to list of int
        Of which items a grid or the like is made.
    length_bytes : int
        How many bytes state the length of a unit of HEVC.
    """

    main: int = 0
    kinds: dict[int, bytes] = field(default_factory=dict)
    pieces: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    parts: dict[int, list[int]] = field(default_factory=dict)
    length_bytes: int = 4

    def of_main_picture(self) -> list[int]:
        """Give the picture, and all that it is made of."""
        found, left = {self.main}, [self.main]
        while left:
            new = set(self.parts.get(left.pop(), ())) - found
            found |= new
            left += new
        return sorted(found)


class _Fields:
    """The numbers in a box, one after the other, behind its version and three bytes of flags."""

    def __init__(self, data: bytes, box: Box) -> None:
        self._data, self.at = data, box.begin
        self.version = self.number(1)
        self.number(3)

    def number(self, size: int) -> int:
        begin, self.at = self.at, self.at + size
        if self.at > len(self._data):
            raise IndexError
        return int.from_bytes(self._data[begin : self.at])

    def id(self, first_long: int) -> int:
        """An item's number, which is longer from some version of the box on."""
        return self.number(4 if self.version >= first_long else 2)


def read_items(data: bytes) -> Items:
    """Read what stands in a file's ``meta``.

    Raises
    ------
    IndexError
        If it is cut off.
    """
    items = Items()
    for meta in boxes(data):
        if meta.name != b"meta":
            continue
        for box in boxes(data, meta.begin + 4, meta.end):
            if box.name == b"pitm":
                items.main = _Fields(data, box).id(1)
            elif box.name == b"iinf":
                items.kinds = dict(_kinds(data, box))
            elif box.name == b"iloc":
                items.pieces = dict(_pieces(data, box))
            elif box.name == b"iref":
                items.parts = dict(_parts(data, box))
        # The codec's configuration; all items of a file are by one encoder.
        configuration = data.find(b"hvcC", meta.begin, meta.end)
        if configuration >= 0:
            items.length_bytes = (data[configuration + 25] & 3) + 1
    return items


def _kinds(data: bytes, box: Box) -> Iterator[tuple[int, bytes]]:
    fields = _Fields(data, box)
    fields.id(1)  # how many
    for entry in boxes(data, fields.at, box.end):
        described = _Fields(data, entry)
        item = described.id(3)
        described.number(2)  # protection
        yield item, data[described.at : described.at + 4]


def _pieces(data: bytes, box: Box) -> Iterator[tuple[int, list[tuple[int, int]]]]:
    fields = _Fields(data, box)
    sizes = fields.number(2)
    offset_size, length_size = sizes >> 12, sizes >> 8 & 15
    base_size, index_size = sizes >> 4 & 15, sizes & 15 if fields.version else 0
    for _ in range(fields.id(2)):
        item = fields.id(2)
        in_file = not fields.version or fields.number(2) & 15 == 0
        fields.number(2)  # which file: this one
        base = fields.number(base_size)
        pieces = []
        for _ in range(fields.number(2)):
            fields.number(index_size)
            pieces.append((base + fields.number(offset_size), fields.number(length_size)))
        if in_file:
            yield item, pieces


def _parts(data: bytes, box: Box) -> Iterator[tuple[int, list[int]]]:
    fields = _Fields(data, box)
    for reference in boxes(data, fields.at, box.end):
        fields.at = reference.begin
        if reference.name == b"dimg":
            whole = fields.id(1)
            yield whole, [fields.id(1) for _ in range(fields.number(2))]

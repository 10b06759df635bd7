"""The markers of a JPEG file: its frame, its tables, and the scans that carry the picture."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["END", "START", "Scan", "has_late_height", "is_complete", "restart_interval", "scans"]

START, END = b"\xff\xd8", b"\xff\xd9"

# A marker ends the coded data of a scan, unless it is a restart marker or a stuffed zero.
_MARKER = re.compile(rb"\xff+[\x01-\xcf\xd8-\xfe]")

_SOF = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = (0xC2, 0xCA)
_SOS, _EOI, _DRI = 0xDA, 0xD9, 0xDD
_DNL = b"\xff\xdc"
_TABLES = (0xC4, 0xCC, 0xDB, _DRI)
_BARE = (0x01, 0xD8)  # no length follows


@dataclass(slots=True)
class Scan:
    """One scan, and what stands before it.

    Attributes
    ----------
    frame : bytes
        The start-of-frame segment that is in force.
    tables : bytes
        The table segments since the scan before, as they stand in the file.
    header : bytes
        The start-of-scan segment.
    start : int
        Where its coded data begin in the file.
    """

    frame: bytes
    tables: bytes
    header: bytes
    start: int

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the picture."""
        return int.from_bytes(self.frame[7:9]), int.from_bytes(self.frame[5:7])

    @property
    def sampling(self) -> dict[int, tuple[int, int]]:
        """The horizontal and vertical sampling factor of each component of the frame."""
        parts = range(10, 10 + 3 * self.frame[9], 3)
        return {self.frame[at]: (self.frame[at + 1] >> 4, self.frame[at + 1] & 15) for at in parts}

    @property
    def is_progressive(self) -> bool:
        """Whether a coefficient may come in several scans."""
        return self.frame[1] in _PROGRESSIVE

    @property
    def components(self) -> list[int]:
        """Those that this scan carries."""
        return list(self.header[5 : 5 + 2 * self.header[4] : 2])

    @property
    def is_only(self) -> bool:
        """Whether it carries the whole picture."""
        return not self.is_progressive and self.header[4] == self.frame[9]

    @property
    def unit(self) -> tuple[int, int]:
        """(width, height) in pixels of what the scan codes at once: some blocks of each component.

        Of a single component it is a block, whatever its sampling factors say.
        """
        if len(self.components) == 1:
            return 8, 8
        factors = self.sampling.values()
        return 8 * max(across for across, _ in factors), 8 * max(down for _, down in factors)

    @property
    def units(self) -> int:
        """How many of them make the picture, if this is its only scan."""
        (width, height), (across, down) = self.size, self.unit
        return -(-width // across) * -(-height // down)

    @property
    def plain_header(self) -> bytes:
        """The header, with the parameters that it must have if it is of a sequential scan."""
        return self.header if self.is_progressive else self.header[:-3] + b"\x00\x3f\x00"

    def as_one_component(self) -> tuple[Scan, int]:
        """The same coded data as of a grey picture, and how many blocks of it make a unit.

        Only where all components share their Huffman tables, as in CMYK; then a block that is lost
        makes the others change places. Otherwise, the scan itself and 1.
        """
        tables = self.header[6 : 5 + 2 * self.header[4] : 2]
        if len(set(tables)) > 1 or len(tables) == 1:
            return self, 1
        frame = b"%b\x00\x0b%b\x01%b\x11\x00" % (self.frame[:2], self.frame[4:9], self.header[5:6])
        header = b"\xff\xda\x00\x08\x01" + self.header[5:7] + b"\x00\x3f\x00"
        blocks = sum(across * down for across, down in self.sampling.values())
        return Scan(frame, self.tables, header, self.start), blocks

    def coded(self, data: bytes) -> bytes:
        """Its coded data, restart markers included."""
        end = _MARKER.search(data, self.start)
        return data[self.start : end.start() if end else len(data)]


def scans(data: bytes) -> Iterator[Scan]:
    """The scans of the first picture of a file; they stop where the file does."""
    frame, tables, at = b"", b"", len(START)
    while marker := _MARKER.search(data, at):
        start, at = marker.end() - 2, marker.end()
        code = data[start + 1]
        if code == _EOI:
            return
        if code in _BARE:
            continue
        at += int.from_bytes(data[at : at + 2])
        if code in _SOF:
            frame = data[start:at]
        elif code in _TABLES:
            tables += data[start:at]
        elif code == _SOS:
            if len(frame) < 10 or len(frame) < 10 + 3 * frame[9] or at < start + 10:
                return
            yield Scan(frame, tables, data[start:at], at)
            tables = b""


def restart_interval(tables: bytes) -> int:
    """After how many units a restart marker is due; 0 for never."""
    found = 0
    at = 0
    while at < len(tables):
        if tables[at + 1] == _DRI:
            found = int.from_bytes(tables[at + 4 : at + 6])
        at += 2 + int.from_bytes(tables[at + 2 : at + 4])
    return found


def has_late_height(data: bytes) -> bool:
    """Whether the height stands behind the first scan, which few decoders look for."""
    first = next(scans(data), None) if data.startswith(START) else None
    return first is not None and first.size[1] == 0 and _DNL in data


def is_complete(data: bytes) -> bool:
    """Whether there is a scan for all of the picture, so that none is missing at the end.

    libjpeg takes what is missing for grey or for fine detail that the picture does not have.
    """
    # What is left to come of each coefficient: None for all of it, 0 for nothing.
    left: dict[tuple[int, int], int | None] = {}
    for scan in scans(data):
        if scan.is_only:
            return True
        if not left:
            detail = 64 if scan.is_progressive else 1
            left = {(part, k): None for part in scan.sampling for k in range(detail)}
        first, last, bits = scan.header[-3:] if scan.is_progressive else (0, 0, 0)
        left.update(
            ((part, k), bits & 15) for part in scan.components for k in range(first, last + 1)
        )
    return all(bits == 0 for bits in left.values())

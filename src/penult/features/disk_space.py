"""Whether the disk has room for what is still to be written."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from penult.errors import OutputError
from penult.interface import option

__all__ = ["Room"]

_BESIDE = 512  # bytes a row in a part: the image's id, its digest, its place
_HEADROOM = 1 << 20


@dataclass(frozen=True)
class Room:
    """The bytes that a run takes.

    Attributes
    ----------
    output : the file to be
    folder : where the parts lie until it is whole, on the same disk
    file_bytes : of the whole file
    row_bytes : of one row of every layer
    halves : whether another dtype takes half of it, and can be asked for
    """

    output: Path
    folder: Path
    file_bytes: int
    row_bytes: int
    halves: bool

    def require(self, rows: int) -> None:
        """Refuse to go on where the disk is too small for the rest.

        At the end the parts and the file are there at the same time.

        Parameters
        ----------
        rows : how many are still to be put into parts

        Raises
        ------
        OutputError
        """
        parts = max(0, rows) * (self.row_bytes + _BESIDE)
        needed = self.file_bytes + parts + _HEADROOM
        try:
            disk = shutil.disk_usage(self.folder)
        except OSError:
            return  # then the disk says so when it is full
        # A network's file system may not know its size.
        if disk.total and disk.free < needed:
            half = f", or {option('dtype', 'float16')} for half of it" if self.halves else ""
            raise OutputError(
                f"{self.output} cannot be written: it takes {_mb(needed)} ({_mb(self.file_bytes)} "
                f"for the file, {_mb(parts)} for the rows until it is whole, and "
                f"{_mb(_HEADROOM)} to spare), and the disk has {_mb(disk.free)} free; "
                f"free some, or give an output on another disk{half}"
            )


def _mb(count: int) -> str:
    return f"{count / 1e6:,.1f} MB"

"""Icons: several pictures of one thing, in many sizes, in a file."""

from __future__ import annotations

import struct
from io import BytesIO
from typing import Any

from PIL import BmpImagePlugin, IcoImagePlugin, ImageFile, PngImagePlugin

__all__ = ["IconImage", "is_icon", "open_icon"]

_MAGIC = b"\0\0\1\0"
_HEAD, _ENTRY = 6, 16
_PNG = b"\x89PNG\r\n\x1a\n"


def is_icon(data: bytes) -> bool:
    """Whether a file begins as an icon does, and names a picture."""
    return data.startswith(_MAGIC) and data[4:6] != b"\0\0"


def open_icon(data: bytes) -> ImageFile.ImageFile:
    """Read the header of the largest picture; of two as large, of the one with more colours."""
    (count,) = struct.unpack_from("<H", data, 4)
    starts = range(_HEAD, _HEAD + count * _ENTRY, _ENTRY)
    entry = max((data[at : at + _ENTRY] for at in starts), key=_rank)
    length, offset = struct.unpack_from("<II", entry, 8)
    picture = data[offset : offset + length]
    if len(picture) < length:
        raise EOFError
    if picture.startswith(_PNG):
        return PngImagePlugin.PngImageFile(BytesIO(picture), "")
    alone = _MAGIC + b"\1\0" + entry[:12] + struct.pack("<I", _HEAD + _ENTRY) + picture
    return IconImage(BytesIO(alone), "")


def _rank(entry: bytes) -> tuple[int, int]:
    width, height, colours, _, _, bits = struct.unpack_from("<BBBBHH", entry)
    return (width or 256) * (height or 256), bits or (colours - 1).bit_length()


class IconImage(ImageFile.ImageFile):
    """An icon of one bitmap. Pillow's own class would decode it when it is opened."""

    format = "ICO"
    format_description = "Windows icon"

    def _open(self) -> None:
        assert isinstance(self.fp, BytesIO)
        self.fp.seek(_HEAD + _ENTRY)
        bitmap = BmpImagePlugin.DibImageFile(self.fp)
        self._size = bitmap.width, bitmap.height // 2  # above it, a mask of the same size
        self._mode = "RGBA"
        self.tile = []

    def load(self) -> Any:
        """Decode the pixels, and make what is masked out transparent."""
        if self._im is None:
            assert isinstance(self.fp, BytesIO)
            self.fp.seek(0)
            picture = IcoImagePlugin.IcoFile(self.fp).frame(0)
            picture.load()
            self._mode, self.im = picture.mode, picture.im
        return super().load()

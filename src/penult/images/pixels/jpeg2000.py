"""JPEG 2000 by Pillow, but for what it would read wrongly."""

from __future__ import annotations

from io import BytesIO

from PIL import Jpeg2KImagePlugin

from penult.errors import ImageError
from penult.images.pixels.boxes import boxes

__all__ = ["Jpeg2000Image"]

_CODESTREAM = b"\xff\x4f\xff\x51"  # the two markers that it begins with
_COMPONENTS = 38  # where the entries of its components are: behind their number, of 16 bits

_CIELAB = 14
_EIGHT_BITS = 8


class Jpeg2000Image(Jpeg2KImagePlugin.Jpeg2KImageFile):
    """A JPEG 2000 whose colours are RGB, YCbCr, CMYK, grey or a palette, in 8 bits or more.

    Raises
    ------
    ImageError
        When it is opened, if it is another one.
    """

    def _open(self) -> None:
        super()._open()
        assert isinstance(self.fp, BytesIO)
        data = self.fp.getvalue()
        if _is_lab(data):
            raise ImageError("is not supported (JPEG 2000 in CIELab)")
        # Pillow leaves fewer bits at the dark end.
        sizes = data[data.index(_CODESTREAM) + len(_CODESTREAM) :]
        count = int.from_bytes(sizes[_COMPONENTS - 2 : _COMPONENTS])
        depths = [(depth & 0x7F) + 1 for depth in sizes[_COMPONENTS : _COMPONENTS + 3 * count : 3]]
        if min(depths, default=_EIGHT_BITS) < _EIGHT_BITS:
            raise ImageError(f"is not supported (JPEG 2000 of {min(depths)} bits)")


def _is_lab(data: bytes) -> bool:
    for header in boxes(data):
        if header.name == b"jp2h":
            for box in boxes(data, header.begin, header.end):
                # The method "by number", and the number.
                if box.name == b"colr" and data[box.begin] == 1:
                    return int.from_bytes(data[box.begin + 3 : box.begin + 7]) == _CIELAB
    return False

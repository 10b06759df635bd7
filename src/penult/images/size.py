"""How large an image is: what its header says, and its bytes; no pixel is decoded."""

from __future__ import annotations

import io
from dataclasses import dataclass

from penult.images.in_memory import MemoryRecord
from penult.images.pixels.formats import open_header
from penult.images.pixels.jpeg import decoder as jpeg
from penult.images.pixels.quiet import silence
from penult.images.read import read_bytes
from penult.records import ImageRecord

__all__ = ["ImageSize", "image_size"]

# Headers are shorter, but for JPEGs with a preview in front of the size: those are read whole.
_HEAD = 1 << 16


@dataclass(frozen=True, order=True)
class ImageSize:
    """How large an image is; the larger of two has more pixels, or of as many, more bytes.

    Attributes
    ----------
    pixels : int
        Width × height.
    bytes : int
        Of its file.
    """

    pixels: int
    bytes: int


def image_size(record: ImageRecord) -> ImageSize | None:
    """Measure an image by its header; safe to call from any thread.

    Returns
    -------
    ImageSize or None
        None where it is gone, or is no image any more.
    """
    if isinstance(record, MemoryRecord):
        return None
    silence()
    try:
        with record.open() as file:
            head = file.read(_HEAD)
            size = file.seek(0, io.SEEK_END) if len(head) == _HEAD else len(head)
        pixels = _pixels(head)
        if pixels is None:
            pixels = _pixels(read_bytes(record)) if size > len(head) else None
    except Exception:  # it is gone, or unreadable; and a source may be anybody's
        return None
    return None if pixels is None else ImageSize(pixels, size)


def _pixels(data: bytes) -> int | None:
    try:
        width, height = open_header(jpeg.without_leading_junk(data)).size
    except Exception:  # plugins meet a header that is cut with whatever comes up first
        return None
    return int(width) * int(height)

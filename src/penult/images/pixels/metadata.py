"""Image files without the metadata over which Pillow has stumbled."""

from __future__ import annotations

import re

from penult.images.pixels.png import without_ancillary_chunks

__all__ = ["without_metadata"]

_APP0, _EXIF, _APP14, _APP15, _COMMENT = 0xE0, 0xE1, 0xEE, 0xEF, 0xFE
# Lengths of the segments that say something of the colours: JFIF's, Adobe's. libjpeg, too, passes
# over shorter ones.
_LEAST = {_APP0: 16, _APP14: 14}

# The entry of a HEIF file's list that says of which kind an item is.
_EXIF_ITEM = re.compile(rb"(infe.{8})Exif", re.DOTALL)


def without_metadata(data: bytes) -> bytes:
    """Leave out what no pixel needs.

    Parameters
    ----------
    data : bytes
        A whole image file that Pillow could not decode.

    Returns
    -------
    bytes
        `data`, or less of it, for another try; what states the orientation stays if it is sound.

    Raises
    ------
    ImageError
        If it turns out to be of a kind that is not supported.
    """
    if data.startswith(b"\x89PNG"):
        return without_ancillary_chunks(data)
    if data.startswith(b"\xff\xd8"):
        return _without_segments(data)
    if data[4:8] == b"ftyp":
        return _EXIF_ITEM.sub(rb"\1free", data)  # of the same length: the file is full of offsets
    return data


def _without_segments(data: bytes) -> bytes:
    kept, begin = [data[:2]], 2
    while data[begin : begin + 1] == b"\xff" and begin + 4 <= len(data):
        marker = data[begin + 1]
        if not (_APP0 <= marker <= _APP15 or marker == _COMMENT):
            break
        length = int.from_bytes(data[begin + 2 : begin + 4])
        end = begin + 2 + length
        if marker == _EXIF or length >= _LEAST.get(marker, 1 << 16):
            kept.append(data[begin:end])
        begin = end
    return b"".join([*kept, data[begin:]])

"""A PNG file without the chunks that its picture can do without."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from PIL import PngImagePlugin

from penult.errors import ImageError

__all__ = ["without_ancillary_chunks"]

_SIGNATURE = 8
_HEAD, _CHECKSUM = 8, 4  # of a chunk: its length and name before the content, and behind it

_TEXTS = (b"tEXt", b"zTXt", b"iTXt")
# Keys of the texts that may say which side is up.
_ORIENTED = (b"XML:com.adobe.xmp", b"Raw profile type exif", b"exif")


def without_ancillary_chunks(data: bytes) -> bytes:
    """Leave out the metadata of a PNG, and the frames of an animation but for the first.

    Pillow unpacks texts and profiles up to limits that are globals of the process, and fails
    beyond them; it also fails where one is damaged. What stays are the pixels, their transparency,
    and their orientation, if that is sound.

    Parameters
    ----------
    data : bytes
        The whole file.

    Returns
    -------
    bytes
        `data`, or less of it.

    Raises
    ------
    ImageError
        If it is the variant of iOS apps, in which the same chunks mean something else.
    """
    kept, start, texts = [], 0, 0
    for name, begin, end in _chunks(data):
        if name == b"CgBI":
            raise ImageError("is not supported (PNG in the variant of iOS apps)")
        if name[:1].isupper() or name == b"tRNS":
            continue
        length = _length_of_orientation(name, data[begin:end])
        if length is not None and texts + length <= PngImagePlugin.MAX_TEXT_MEMORY:
            texts += length
            continue
        kept.append(data[start:begin])
        start = end
    return b"".join([*kept, data[start:]])


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """(name, begin, end) of each chunk, up to the first that is none."""
    begin, pixels = _SIGNATURE, False
    while begin + _HEAD <= len(data):
        name = data[begin + 4 : begin + _HEAD]
        end = begin + _HEAD + int.from_bytes(data[begin : begin + 4]) + _CHECKSUM
        # Cut off behind the pixels, metadata are not missed.
        if not name.isalpha() or name == b"IEND" or (end > len(data) and not pixels):
            return
        pixels |= name == b"IDAT"
        yield name, begin, end
        begin = end


def _length_of_orientation(name: bytes, chunk: bytes) -> int | None:
    """How long a sound text that may state the orientation is unpacked; None of any other."""
    content, checksum = chunk[_HEAD:-_CHECKSUM], chunk[-_CHECKSUM:]
    key, _, text = content.partition(b"\0")
    if name != b"eXIf" and (name not in _TEXTS or key not in _ORIENTED):
        return None
    if zlib.crc32(chunk[4:-_CHECKSUM]) != int.from_bytes(checksum):
        return None  # also of a chunk that is cut off
    if name == b"zTXt":
        return _unpacked_length(text[1:]) if text[:1] == b"\0" else None
    if name == b"iTXt" and text[:1] != b"\0":
        return _unpacked_length(text[2:].split(b"\0", 2)[-1])
    return len(text)


def _unpacked_length(packed: bytes) -> int | None:
    # Never more than Pillow's limit is unpacked, so that a bomb does no harm.
    stream = zlib.decompressobj()
    try:
        text = stream.decompress(packed, PngImagePlugin.MAX_TEXT_CHUNK)
    except zlib.error:
        return None
    return None if stream.unconsumed_tail else len(text)

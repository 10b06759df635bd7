"""Whether all that a HEIF picture is made of is in its file.

Phones write a picture in dozens of tiles. libheif leaves those black that it does not find, or
cannot decode, and says nothing; so what is cut off, or full of zeros as after a copy that was
interrupted, is looked for here.
"""

from __future__ import annotations

from penult.errors import ImageError
from penult.images.pixels.heif.items import read_items

__all__ = ["ensure_nothing_is_lost"]

# In coded video, three zero bytes in a row are always broken up.
_HOLE = bytes(32)

_MADE_OF_OTHERS = (b"grid", b"iden", b"iovl")


def ensure_nothing_is_lost(data: bytes) -> None:
    """Look for what the main picture of a HEIF file needs.

    Metadata, thumbnails, and pictures beside the main one may be lost.

    Raises
    ------
    ImageError
        If a part of the picture is cut off or overwritten, or none that is read.
    """
    try:
        items = read_items(data)
    except IndexError:
        return  # libheif says what is wrong
    pictures = [(one, items.pieces.get(one, [])) for one in items.of_main_picture()]
    pieces = [piece for _, its_pieces in pictures for piece in its_pieces]
    needed = max((offset + length for offset, length in pieces), default=0)
    if needed > len(data):
        raise ImageError(f"is truncated: {len(data):,} of at least {needed:,} bytes")
    if sum(length for _, length in pieces) > len(data):
        raise ImageError("is damaged (the parts of its picture overlap)")
    for item, its_pieces in pictures:
        kind = items.kinds.get(item, b"no kind")
        if item != items.main and kind not in (b"hvc1", *_MADE_OF_OTHERS):
            raise ImageError(f"is not supported (HEIF with a tile of {kind.decode('latin-1')!a})")
        if kind == b"hvc1":
            if item != items.main and not its_pieces:
                raise ImageError("is damaged (a part of the picture is missing)")
            coded = b"".join(data[at : at + length] for at, length in its_pieces)
            _check_units(coded, items.length_bytes)


def _check_units(coded: bytes, prefix: int) -> None:
    """Check that a picture in HEVC is a row of units, each with its length before it."""
    begin = 0
    while begin < len(coded):
        length = int.from_bytes(coded[begin : begin + prefix])
        begin += prefix + length
        if length < 2 or begin > len(coded):
            raise ImageError("is damaged (a part of the picture is overwritten)")
    if _HOLE in coded:
        raise ImageError("is damaged (a part of the picture is zeros)")

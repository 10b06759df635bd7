"""The colours and compressions of TIFF: their numbers, their names, and which can be read."""

from __future__ import annotations

import ctypes
from functools import cache

from PIL import TiffImagePlugin, _imaging

from penult.errors import ImageError

__all__ = [
    "BLACK_IS_ZERO",
    "CIELAB",
    "CMYK",
    "COLOURS",
    "ICCLAB",
    "JPEG",
    "KINDS",
    "NO_COMPRESSION",
    "OLD_JPEG",
    "OTHER_KINDS",
    "PACKBITS",
    "PALETTE",
    "PREDICTED",
    "RGB",
    "WHITE_IS_ZERO",
    "YCBCR",
    "can_decompress",
    "compression_name",
    "unsupported",
]

WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, CMYK, YCBCR, CIELAB, ICCLAB = 0, 1, 2, 3, 5, 6, 8, 9
KINDS = {0: "grey", 1: "grey", 2: "RGB", 3: "palette", 5: "CMYK", 6: "YCbCr"}
KINDS |= {8: "CIELab", 9: "ICCLab"}
COLOURS = {0: 1, 1: 1, 2: 3, 3: 1, 5: 4, 6: 3, 8: 3, 9: 3}
OTHER_KINDS = {4: "a transparency mask", 10: "ITULab", 32803: "the raw data of a camera"}
OTHER_KINDS |= {32844: "LogL", 32845: "LogLuv", 34892: "the raw data of a camera"}

NO_COMPRESSION, OLD_JPEG, JPEG, PACKBITS = 1, 6, 7, 32773
PREDICTED = {5: "LZW", 8: "deflate", 32946: "deflate", 34925: "LZMA", 50000: "Zstandard"}
_COMPRESSIONS = PREDICTED | {1: "no", 2: "CCITT", 3: "CCITT", 4: "CCITT", 6: "JPEG", 7: "JPEG"}
_COMPRESSIONS |= {9: "JBIG", 10: "JBIG", 34661: "JBIG", 34887: "LERC", 32773: "PackBits"}
_COMPRESSIONS |= {33003: "JPEG 2000", 33005: "JPEG 2000", 34712: "JPEG 2000", 34713: "Nikon NEF"}
_COMPRESSIONS |= {22610: "JPEG XR", 34934: "JPEG XR", 34933: "PNG", 34892: "lossy JPEG"}
_COMPRESSIONS |= {34927: "WebP", 50001: "WebP", 50002: "JPEG XL", 52546: "JPEG XL"}


@cache
def can_decompress(compression: int) -> bool:
    """Whether Pillow's libtiff can undo a compression."""
    if compression not in TiffImagePlugin.COMPRESSION_INFO:
        return False
    try:
        # Asks the libtiff that Pillow uses, which may have been built without.
        configured = ctypes.CDLL(_imaging.__file__).TIFFIsCODECConfigured
    except (AttributeError, OSError):
        # libtiff is built in (Windows); that of Pillow's wheels lacks this one.
        return _COMPRESSIONS.get(compression) != "WebP"
    configured.argtypes, configured.restype = [ctypes.c_uint16], ctypes.c_int
    return bool(configured(compression))


def compression_name(compression: int) -> str:
    """What a message calls it."""
    known = _COMPRESSIONS.get(compression)
    return f"{known} compression" if known else f"compression {compression}"


def unsupported(what: str) -> ImageError:
    """The error that a sound file of an uncommon kind ends in."""
    return ImageError(f"is not supported ({what})")

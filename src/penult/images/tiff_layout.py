"""How the first picture of a TIFF is laid out, by its tags; or why it cannot be read."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from PIL import TiffImagePlugin, _imaging

from penult.errors import ImageError
from penult.images.colour import no_agreed_white

__all__ = [
    "BLACK_IS_ZERO",
    "CIELAB",
    "CMYK",
    "ICCLAB",
    "PALETTE",
    "RGB",
    "WHITE_IS_ZERO",
    "YCBCR",
    "TiffLayout",
    "tiff_layout",
    "unsupported",
]

# Tags.
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _FILL_ORDER = 256, 257, 258, 259, 262, 266
_SAMPLES, _PLANAR, _PREDICTOR, _EXTRA_SAMPLES, _SAMPLE_FORMAT = 277, 284, 317, 338, 339
_STRIP_OFFSETS, _STRIP_HEIGHT, _STRIP_BYTES, _INK_SET, _SUBSAMPLING = 273, 278, 279, 332, 530
_TILE_WIDTH, _TILE_HEIGHT, _TILE_OFFSETS, _TILE_BYTES = 322, 323, 324, 325

WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, CMYK, YCBCR, CIELAB, ICCLAB = 0, 1, 2, 3, 5, 6, 8, 9
_KINDS = {0: "grey", 1: "grey", 2: "RGB", 3: "palette", 5: "CMYK", 6: "YCbCr"}
_KINDS |= {8: "CIELab", 9: "ICCLab"}
_COLOURS = {0: 1, 1: 1, 2: 3, 3: 1, 5: 4, 6: 3, 8: 3, 9: 3}
_OTHER_KINDS = {4: "a transparency mask", 10: "ITULab", 32803: "the raw data of a camera"}
_OTHER_KINDS |= {32844: "LogL", 32845: "LogLuv", 34892: "the raw data of a camera"}

_NO_COMPRESSION, _OLD_JPEG, _JPEG, _PACKBITS = 1, 6, 7, 32773
_PREDICTED = {5: "LZW", 8: "deflate", 32946: "deflate", 34925: "LZMA", 50000: "Zstandard"}
_COMPRESSIONS = _PREDICTED | {1: "no", 2: "CCITT", 3: "CCITT", 4: "CCITT", 6: "JPEG", 7: "JPEG"}
_COMPRESSIONS |= {9: "JBIG", 10: "JBIG", 34661: "JBIG", 34887: "LERC", 32773: "PackBits"}
_COMPRESSIONS |= {33003: "JPEG 2000", 33005: "JPEG 2000", 34712: "JPEG 2000", 34713: "Nikon NEF"}
_COMPRESSIONS |= {22610: "JPEG XR", 34934: "JPEG XR", 34933: "PNG", 34892: "lossy JPEG"}
_COMPRESSIONS |= {34927: "WebP", 50001: "WebP", 50002: "JPEG XL", 52546: "JPEG XL"}

_SIGNED, _FLOAT, _COMPLEX_INTEGERS, _COMPLEX = 2, 3, 5, 6
_PREMULTIPLIED, _ALPHA, _COREL_ALPHA = 1, 2, 999

# More than any file needs: what stands in a few tags must not become gigabytes.
_MOST_TILE_PIXELS = 1 << 24
_MOST_BYTES = 1_500_000_000


@dataclass(frozen=True, slots=True)
class TiffLayout:
    """How the samples of a TIFF are stored, and what they mean.

    Attributes
    ----------
    size : (width, height), as stored
    photometric : the tag that says what the colours are
    colours, samples : how many of a pixel's samples are its colour, and how many it has
    alpha : which sample is its opacity; None without one
    premultiplied : whether the colours are multiplied with it
    bits : of a sample
    planar : whether each sample has a plane of its own
    tiled, tile : whether in tiles or in strips, and (width, height) of one
    offsets, byte_counts : of each tile or strip; `byte_counts` may be missing
    subsampled : whether YCbCr has fewer chroma samples than pixels
    """

    size: tuple[int, int]
    photometric: int
    colours: int
    samples: int
    alpha: int | None
    premultiplied: bool
    bits: int
    planar: bool
    compression: int
    predictor: int
    fill_order: int
    tiled: bool
    tile: tuple[int, int]
    offsets: tuple[int, ...]
    byte_counts: tuple[int, ...]
    subsampled: bool

    @property
    def across(self) -> int:
        """Tiles, or strips, beside each other."""
        return math.ceil(self.size[0] / self.tile[0])

    @property
    def down(self) -> int:
        """Tiles, or strips, below each other."""
        return math.ceil(self.size[1] / self.tile[1])

    @property
    def compresses_bytes(self) -> bool:
        """Whether the compression is one of bytes, which knows nothing of samples."""
        return self.compression in (_NO_COMPRESSION, _PACKBITS, *_PREDICTED)

    @property
    def suits_pillow(self) -> bool:
        """Whether Pillow, if it takes it at all, reads it rightly.

        It takes planes for what they are not: 16-bit ones for 8-bit ones, the first of grey with
        alpha for both. Of JPEG, libtiff knows 8 bits.
        """
        if self.compression != _JPEG:
            return not self.planar
        if self.planar and (self.photometric == YCBCR or self.samples not in (3, 4)):
            return False
        return self.bits == 8 and self.photometric not in (CIELAB, ICCLAB)

    def __str__(self) -> str:
        planar = "planar " if self.planar else ""
        extra = self.samples - self.colours
        if self.premultiplied:
            extras = " with premultiplied alpha"
        else:
            extras = f" with {extra} extra sample{'s' * (extra > 1)}" if extra else ""
        kind = f"{planar}{self.bits}-bit {_KINDS[self.photometric]}{extras}"
        return f"TIFF of {kind}, {_name(self.compression)}"


def tiff_layout(tags: Mapping[int, Any]) -> TiffLayout:
    """Read the layout from the tags of a TIFF.

    Raises
    ------
    ImageError
        If it is one that cannot be read, or claims what no file needs.
    ValueError
        If tags are damaged or missing.
    """
    numbers = _Numbers(tags)
    size = numbers.one(_WIDTH), numbers.one(_HEIGHT)
    compression = numbers.one(_COMPRESSION, _NO_COMPRESSION)
    if not _can_decompress(compression):
        raise unsupported(f"TIFF with {_name(compression)}")
    photometric = YCBCR if compression == _OLD_JPEG else numbers.one(_PHOTOMETRIC, WHITE_IS_ZERO)
    if photometric not in _KINDS:
        kind = _OTHER_KINDS.get(photometric, f"colours of kind {photometric}")
        raise unsupported(f"TIFF of {kind}")
    bits, samples = _depth(numbers, 3 if compression == _OLD_JPEG else 1)
    colours = 1 if photometric == YCBCR and samples == 1 else _COLOURS[photometric]
    alpha, premultiplied = _alpha(numbers, colours, samples)
    tiled = _STRIP_OFFSETS not in numbers and _TILE_OFFSETS in numbers
    strip_height = min(numbers.one(_STRIP_HEIGHT, size[1]), size[1])
    layout = TiffLayout(
        size=size,
        photometric=photometric,
        colours=colours,
        samples=samples,
        alpha=alpha,
        premultiplied=premultiplied,
        bits=bits,
        planar=numbers.one(_PLANAR, 1) == 2 and samples > 1,
        compression=compression,
        predictor=numbers.one(_PREDICTOR, 1) if compression in _PREDICTED else 1,
        fill_order=numbers.one(_FILL_ORDER, 1),
        tiled=tiled,
        tile=(numbers.one(_TILE_WIDTH), numbers.one(_TILE_HEIGHT))
        if tiled
        else (size[0], strip_height),
        offsets=numbers.all(_TILE_OFFSETS if tiled else _STRIP_OFFSETS, ()),
        byte_counts=numbers.all(_TILE_BYTES if tiled else _STRIP_BYTES, ()),
        subsampled=photometric == YCBCR and _is_subsampled(numbers, compression, size),
    )
    _check(layout, numbers)
    return layout


class _Numbers:
    """The tags, each a number or several."""

    def __init__(self, tags: Mapping[int, Any]) -> None:
        self._tags = tags

    def __contains__(self, tag: int) -> bool:
        return tag in self._tags

    def one(self, tag: int, default: int | None = None) -> int:
        value = self._tags.get(tag, default)
        if not isinstance(value, int):
            raise ValueError(f"tag {tag} is missing or no number")  # noqa: TRY004
        return value

    def all(self, tag: int, default: tuple[int, ...]) -> tuple[int, ...]:
        values = tuple(self._tags.get(tag, default))
        if not all(isinstance(value, int) for value in values):
            raise ValueError(f"tag {tag} is not made of numbers")
        return values


def _check(layout: TiffLayout, tags: _Numbers) -> None:
    width, height = layout.tile
    if min(*layout.size, width, height) < 1:
        raise ValueError("a size of 0 pixels")
    if layout.tiled and width * height > max(_MOST_TILE_PIXELS, 4 * math.prod(layout.size)):
        raise unsupported(f"TIFF with tiles of {width:,} × {height:,} pixels")
    size = math.prod(layout.size) * layout.samples * math.ceil(layout.bits / 8)
    if layout.samples > 4 and size > _MOST_BYTES:
        raise unsupported(f"TIFF of {layout.samples:,} samples a pixel, {size:,} bytes")
    if layout.predictor != 1 and (layout.predictor != 2 or layout.bits not in (8, 16)):
        raise unsupported(f"TIFF with predictor {layout.predictor} of {layout.bits}-bit samples")
    if layout.photometric == CMYK and tags.one(_INK_SET, 1) != 1:
        raise unsupported("TIFF of other inks than CMYK")
    needed = layout.across * layout.down * (layout.samples if layout.planar else 1)
    if len(layout.offsets) < needed and layout.compression != _OLD_JPEG:
        part = "tiles" if layout.tiled else "strips"
        raise ValueError(f"{len(layout.offsets):,} of {needed:,} {part}")


def _depth(tags: _Numbers, default: int) -> tuple[int, int]:
    """(bits of a sample, samples a pixel)."""
    depths, samples = tags.all(_BITS, (1,)), tags.one(_SAMPLES, default)
    # One depth is often given for all samples, and now and then one too many.
    if 1 < len(depths) < samples or len(set(depths[:samples])) != 1:
        raise unsupported(f"TIFF with samples of {', '.join(map(str, depths[:8]))} bits")
    bits, formats = depths[0], tags.all(_SAMPLE_FORMAT, (1,))
    if bits < 1:
        raise ValueError("samples of 0 bits")
    if _FLOAT in formats:
        raise no_agreed_white("floating-point numbers")
    if _COMPLEX in formats or _COMPLEX_INTEGERS in formats:
        raise no_agreed_white("complex numbers")
    if _SIGNED in formats or bits > 16:
        raise no_agreed_white("32-bit or signed integers" if bits > 16 else "signed integers")
    return bits, samples


def _alpha(tags: _Numbers, colours: int, samples: int) -> tuple[int | None, bool]:
    """(which sample is the opacity, whether the colours are multiplied with it)."""
    extra = tags.all(_EXTRA_SAMPLES, ())
    if not extra and (colours, samples) == (3, 4):
        extra = (_ALPHA,)  # common, if not according to the standard
    if len(extra) != samples - colours:
        raise unsupported(
            f"TIFF of {samples:,} samples a pixel, {colours} of them colour and {len(extra):,} "
            f"declared as extra"
        )
    for position, meaning in enumerate(extra, colours):
        if meaning in (_PREMULTIPLIED, _ALPHA, _COREL_ALPHA):
            return position, meaning == _PREMULTIPLIED
    return None, False


def _is_subsampled(tags: _Numbers, compression: int, size: tuple[int, int]) -> bool:
    if _SUBSAMPLING not in tags and compression == _NO_COMPRESSION:
        return sum(tags.all(_STRIP_BYTES, ())) < 3 * math.prod(size)
    return tags.all(_SUBSAMPLING, (2, 2)) != (1, 1)


@cache
def _can_decompress(compression: int) -> bool:
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


def _name(compression: int) -> str:
    known = _COMPRESSIONS.get(compression)
    return f"{known} compression" if known else f"compression {compression}"


def unsupported(what: str) -> ImageError:
    """The error that a sound file of an uncommon kind ends in."""
    return ImageError(f"is not supported ({what})")

"""How the first picture of a TIFF is laid out, by its tags; or why it cannot be read."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from penult.images.pixels.color_modes import no_agreed_white
from penult.images.pixels.tiff.kinds import (
    CIELAB,
    CMYK,
    COLOURS,
    ICCLAB,
    JPEG,
    KINDS,
    NO_COMPRESSION,
    OLD_JPEG,
    OTHER_KINDS,
    PACKBITS,
    PREDICTED,
    WHITE_IS_ZERO,
    YCBCR,
    can_decompress,
    compression_name,
    unsupported,
)

__all__ = ["TiffLayout", "tiff_layout"]

# Tags.
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _FILL_ORDER = 256, 257, 258, 259, 262, 266
_SAMPLES, _PLANAR, _PREDICTOR, _EXTRA_SAMPLES, _SAMPLE_FORMAT = 277, 284, 317, 338, 339
_STRIP_OFFSETS, _STRIP_HEIGHT, _STRIP_BYTES, _INK_SET, _SUBSAMPLING = 273, 278, 279, 332, 530
_TILE_WIDTH, _TILE_HEIGHT, _TILE_OFFSETS, _TILE_BYTES = 322, 323, 324, 325

_SIGNED, _FLOAT, _COMPLEX_INTEGERS, _COMPLEX = 2, 3, 5, 6
_PREMULTIPLIED, _ALPHA, _COREL_ALPHA = 1, 2, 999

# More than any file needs: what stands in a few tags must not become gigabytes.
_MOST_PIXELS_OF_TILES = 1 << 24
_MOST_BYTES = 1_500_000_000


@dataclass(frozen=True, slots=True)
class TiffLayout:
    """How the samples of a TIFF are stored, and what they mean.

    Attributes
    ----------
    size : (int, int)
        (width, height), as stored.
    photometric : int
        The tag that says what the colours are.
    colours, samples : int
        How many of a pixel's samples are its colour, and how many it has.
    alpha : int or None
        Which sample is its opacity; None without one.
    premultiplied : bool
        Whether the colours are multiplied with it.
    bits : int
        Bits of a sample.
    planar : bool
        Whether each sample has a plane of its own.
    tiled : bool
        Whether it is stored in tiles, or else in strips.
    tile : (int, int)
        (width, height) of a tile or strip.
    offsets, byte_counts : tuple of int
        Where each tile or strip begins, and how long it is; `byte_counts` may be missing.
    subsampled : bool
        Whether YCbCr has fewer chroma samples than pixels.
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
        return self.compression in (NO_COMPRESSION, PACKBITS, *PREDICTED)

    @property
    def suits_pillow(self) -> bool:
        """Whether Pillow, if it takes it at all, reads it rightly.

        It takes planes for what they are not: 16-bit ones for 8-bit ones, the first of grey with
        alpha for both. Of JPEG, libtiff knows 8 bits.
        """
        if self.compression != JPEG:
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
        kind = f"{planar}{self.bits}-bit {KINDS[self.photometric]}{extras}"
        return f"TIFF of {kind}, {compression_name(self.compression)}"


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
    compression = numbers.one(_COMPRESSION, NO_COMPRESSION)
    if not can_decompress(compression):
        raise unsupported(f"TIFF with {compression_name(compression)}")
    photometric = YCBCR if compression == OLD_JPEG else numbers.one(_PHOTOMETRIC, WHITE_IS_ZERO)
    if photometric not in KINDS:
        kind = OTHER_KINDS.get(photometric, f"colours of kind {photometric}")
        raise unsupported(f"TIFF of {kind}")
    bits, samples = _depth(numbers, 3 if compression == OLD_JPEG else 1)
    colours = 1 if photometric == YCBCR and samples == 1 else COLOURS[photometric]
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
        predictor=numbers.one(_PREDICTOR, 1) if compression in PREDICTED else 1,
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
    area = layout.across * layout.down * width * height
    if layout.tiled and area > max(_MOST_PIXELS_OF_TILES, 4 * math.prod(layout.size)):
        raise unsupported(f"TIFF with tiles of {width:,} × {height:,} pixels")
    size = math.prod(layout.size) * layout.samples * math.ceil(layout.bits / 8)
    if layout.samples > 4 and size > _MOST_BYTES:
        raise unsupported(f"TIFF of {layout.samples:,} samples a pixel, {size:,} bytes")
    if layout.predictor != 1 and (layout.predictor != 2 or layout.bits not in (8, 16)):
        raise unsupported(f"TIFF with predictor {layout.predictor} of {layout.bits}-bit samples")
    if layout.photometric == CMYK and tags.one(_INK_SET, 1) != 1:
        raise unsupported("TIFF of other inks than CMYK")
    needed = layout.across * layout.down * (layout.samples if layout.planar else 1)
    if len(layout.offsets) < needed and layout.compression != OLD_JPEG:
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
    if _SUBSAMPLING not in tags and compression == NO_COMPRESSION:
        return sum(tags.all(_STRIP_BYTES, ())) < 3 * math.prod(size)
    return tags.all(_SUBSAMPLING, (2, 2)) != (1, 1)

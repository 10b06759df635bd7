"""The samples of a TIFF as numbers, whatever their depth and wherever they lie.

Pillow's libtiff decompresses: each plane is handed to it as an 8-bit grey picture that is as wide
as a row has bytes. So it is libtiff, too, that bounds what is unpacked and notices damage.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Sequence
from contextlib import suppress
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, TiffImagePlugin

from penult.images.pixels.tiff.kinds import PALETTE
from penult.images.pixels.tiff.layout import TiffLayout

__all__ = ["UnlimitedTiff", "eight_bits", "read_samples"]

_SAMPLES_AT_ONCE = 1 << 20
_LONG8 = 16  # the type of a BigTIFF's numbers


class UnlimitedTiff(TiffImagePlugin.TiffImageFile):
    """Without the limit of pixels that is a global of the process: penult has its own."""

    def load_prepare(self) -> None:
        """Make room for the pixels."""
        if self._im is None:
            self.im = Image.core.new(self.mode, self._tile_size)  # type: ignore[attr-defined]
        ImageFile.ImageFile.load_prepare(self)

    def load_end(self) -> None:
        """Read the EXIF while the file is open; what is done with it is not decided here."""
        with suppress(Exception):  # damaged metadata say nothing
            self.getexif()


def read_samples(
    data: bytes, layout: TiffLayout, wanted: Sequence[int], order: str, *, partly: bool
) -> NDArray[Any]:
    """Decompress and unpack some samples of each pixel.

    Parameters
    ----------
    data : bytes
        The whole file.
    layout : TiffLayout
        Its samples are bytes; see `TiffLayout.compresses_bytes`.
    wanted : sequence of int
        Which samples, by their indices.
    order : {"<", ">"}
        Byte order of a sample.
    partly : bool
        Whether to take what can be decompressed of a damaged file; the rest is zero.

    Returns
    -------
    array, shape (H, W, len(wanted))
        uint8: the upper 8 bits; fewer fill the range up to white. Of a palette, uint16: the indices
        as they are.
    """
    width, height = layout.size
    is_palette = layout.photometric == PALETTE
    result = np.zeros((height, width, len(wanted)), np.uint16 if is_palette else np.uint8)
    if not layout.planar:
        for rows, samples in _plane(data, layout, 0, order, partly=partly):
            result[rows] = samples[..., list(wanted)]
        return result
    for position, plane in enumerate(wanted):
        for rows, samples in _plane(data, layout, plane, order, partly=partly):
            result[rows, :, position] = samples[..., 0]
    return result


def _plane(
    data: bytes, layout: TiffLayout, plane: int, order: str, *, partly: bool
) -> Iterator[tuple[slice, NDArray[Any]]]:
    """The samples of a plane, some rows at a time: arrays (rows, W, samples)."""
    width, height = layout.size
    samples = 1 if layout.planar else layout.samples
    packed = _decompressed(data, layout, plane, samples, partly=partly)
    rows_at_once = max(1, _SAMPLES_AT_ONCE // (width * samples))
    for start in range(0, height, rows_at_once):
        rows = slice(start, start + rows_at_once)
        values = _unpacked(packed[rows], layout, samples, order)
        if layout.predictor == 2:
            values = np.cumsum(values, axis=2, dtype=values.dtype)
        values = values.reshape(len(values), -1, samples)[:, :width]
        yield rows, values if layout.photometric == PALETTE else eight_bits(values, layout.bits)


def eight_bits(samples: NDArray[Any], bits: int) -> NDArray[np.uint8]:
    """The upper 8 bits; fewer fill the range up to white."""
    if bits >= 8:
        return np.asarray(samples >> (bits - 8), np.uint8)
    white = 2**bits - 1
    levels = np.array([round(255 * value / white) for value in range(white + 1)], np.uint8)
    return np.asarray(levels[samples])


def _unpacked(
    packed: NDArray[np.uint8], layout: TiffLayout, samples: int, order: str
) -> NDArray[Any]:
    """(rows, tiles, bytes) become (rows, tiles, columns of a tile, samples)."""
    shape = (*packed.shape[:2], layout.tile[0], samples)
    if layout.bits == 8:
        return packed.reshape(shape)
    if layout.bits == 16:
        return packed.view(f"{order}u2").astype(np.uint16).reshape(shape)
    bits = np.unpackbits(packed, axis=-1, count=layout.tile[0] * samples * layout.bits)
    bits = bits.reshape(*shape, layout.bits)
    values = np.zeros(shape, np.uint16)
    for bit in range(layout.bits):
        values = values << 1 | bits[..., bit]
    return values


def _decompressed(
    data: bytes, layout: TiffLayout, plane: int, samples: int, *, partly: bool
) -> NDArray[np.uint8]:
    """The bytes of a plane: an array (H, tiles beside each other, bytes of a tile's row)."""
    row_bytes = math.ceil(layout.tile[0] * samples * layout.bits / 8)
    tiles = layout.across * layout.down
    mine = slice(plane * tiles, (plane + 1) * tiles)
    grey = _grey_tiff(
        data,
        {
            256: [layout.across * row_bytes],
            257: [layout.size[1]],
            258: [8],
            259: [layout.compression],
            262: [1],
            266: [layout.fill_order],
            **_parts(layout, row_bytes, mine),
        },
    )
    image = UnlimitedTiff(BytesIO(grey))
    try:
        image.load()
    except Exception:
        if not partly:
            raise
        image.tile = []
        image.load()
    return np.asarray(image).reshape(layout.size[1], layout.across, row_bytes)


def _parts(layout: TiffLayout, row_bytes: int, mine: slice) -> dict[int, Sequence[int]]:
    offsets, counts = layout.offsets[mine], layout.byte_counts[mine]
    if layout.tiled:
        return {322: [row_bytes], 323: [layout.tile[1]], 324: offsets, 325: counts}
    return {273: offsets, 278: [layout.tile[1]], 279: counts}


def _grey_tiff(data: bytes, tags: dict[int, Sequence[int]]) -> bytes:
    """`data` with a new header and these tags before it, as a BigTIFF; offsets are shifted."""
    tags = {tag: values for tag, values in sorted(tags.items()) if values}
    directory = 16 + 8 + 20 * len(tags) + 8
    lists = sum(8 * len(values) for values in tags.values() if len(values) > 1)
    shift = directory + lists
    entries, tail = b"", b""
    for tag, values in tags.items():
        if tag in (273, 324):
            values = [value + shift for value in values]
        packed = struct.pack(f"<{len(values)}Q", *values)
        if len(values) > 1:
            at = struct.pack("<Q", directory + len(tail))
            tail += packed
        else:
            at = packed
        entries += struct.pack("<HHQ", tag, _LONG8, len(values)) + at
    head = struct.pack("<2sHHHQQ", b"II", 43, 8, 0, 16, len(tags))
    return head + entries + bytes(8) + tail + data

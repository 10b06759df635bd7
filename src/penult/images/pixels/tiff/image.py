"""TIFF files: by Pillow where it reads them rightly, from their samples where it does not."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import numpy as np
import PIL
from numpy.typing import NDArray
from PIL import Image, ImageFile, TiffImagePlugin

from penult.errors import ImageError
from penult.images.pixels.tiff.kinds import (
    BLACK_IS_ZERO,
    CIELAB,
    CMYK,
    ICCLAB,
    OTHER_KINDS,
    PALETTE,
    RGB,
    WHITE_IS_ZERO,
    YCBCR,
    unsupported,
)
from penult.images.pixels.tiff.layout import TiffLayout, tiff_layout
from penult.images.pixels.tiff.samples import UnlimitedTiff, eight_bits, read_samples

__all__ = ["TiffImage", "check_pillows"]

_NEW_SUBFILE_TYPE, _COLOUR_MAP, _SUB_FILES = 254, 320, 330
_REDUCED = 1
_RAW = 32803  # a kind of colours
_MODES = {RGB: "RGB", CMYK: "CMYK", YCBCR: "YCbCr", CIELAB: "LAB", ICCLAB: "LAB"}


def check_pillows(image: Image.Image) -> None:
    """Refuse a TIFF that a program opened with Pillow and of which Pillow makes wrong pixels.

    Raises
    ------
    ImageError
    """
    if isinstance(image, TiffImagePlugin.TiffImageFile) and not isinstance(image, TiffImage):
        layout = tiff_layout(image.tag_v2)
        if not layout.suits_pillow:
            raise ImageError(f"is misread by Pillow ({layout}); give its path instead")


class TiffImage(UnlimitedTiff):
    """The first picture of a TIFF file.

    Raises
    ------
    ImageError
        When it is opened, if its layout cannot be read.
    """

    _layout: TiffLayout | None = None

    def _open(self) -> None:
        assert self.fp is not None
        head = self.fp.read(10)
        if head.startswith(b"MM\0+"):  # whose tags Pillow takes for those of a small one
            raise unsupported("big-endian BigTIFF")
        if head.endswith(b"CR"):
            raise unsupported(OTHER_KINDS[_RAW])
        self.fp.seek(0)
        super()._open()

    def _setup(self) -> None:
        # Where Pillow, having read the tags, decides how to go on.
        if self.tag_v2.get(_NEW_SUBFILE_TYPE) == _REDUCED and _SUB_FILES in self.tag_v2:
            raise unsupported(OTHER_KINDS[_RAW])  # of which this is a thumbnail
        layout = tiff_layout(self.tag_v2)
        if layout.suits_pillow:
            try:
                super()._setup()
            except SyntaxError:
                pass  # Pillow has no mode for it
            else:
                self._size = self._tile_size
                if layout.subsampled and self.tile[0][0] == "raw":
                    self._by_libtiff()
                return
        _check_readable(layout)
        self._layout = layout
        self._mode = "RGB"
        self._size = self._tile_size = layout.size
        self.tile = []

    def _by_libtiff(self) -> None:
        """Subsampled chroma without compression: Pillow would take it for one a pixel."""
        self._mode = "RGB"
        args: tuple[Any, ...] = ("RGBX", False, self.tag_v2.offset)
        if int(PIL.__version__.partition(".")[0]) < 13:  # which is told the compression as well
            args = ("RGBX", self._compression, False, self.tag_v2.offset)
        self.tile = [ImageFile._Tile("libtiff", (0, 0, *self._tile_size), 0, args)]
        self.use_load_libtiff = True

    def load(self) -> Any:
        """Decode the pixels."""
        self._load_samples(partly=False)
        return super().load()

    def load_partly(self) -> None:
        """Decode what can be decoded, after `load` has failed; the rest is zero."""
        self._load_samples(partly=True)
        self.tile = []
        super().load()

    def _load_samples(self, *, partly: bool) -> None:
        layout = self._layout
        if layout is None or self._im is not None:
            return
        assert isinstance(self.fp, BytesIO)
        order = "<" if self.tag_v2.prefix == b"II" else ">"
        wanted = [*range(layout.colours)]
        if layout.alpha is not None:
            wanted.append(layout.alpha)
        samples = read_samples(self.fp.getvalue(), layout, wanted, order, partly=partly)
        picture = _picture(samples, layout, self.tag_v2)
        self._mode = picture.mode
        self.im = picture.im


def _check_readable(layout: TiffLayout) -> None:
    """Whether samples can be read from it, and mean something."""
    kind, bits = layout.photometric, layout.bits
    meaningful = {YCBCR: bits == 8, CIELAB: bits in (8, 16), ICCLAB: bits in (8, 16)}
    multiplied = layout.premultiplied and kind not in (BLACK_IS_ZERO, RGB)
    right = layout.compresses_bytes and meaningful.get(kind, True) and not multiplied
    if not right or layout.subsampled:
        raise unsupported(str(layout))


def _picture(samples: NDArray[Any], layout: TiffLayout, tags: Any) -> Image.Image:
    """What `read_samples` gave, as an image of the mode that its colours have in Pillow."""
    if layout.photometric == PALETTE:
        picture = Image.fromarray(_looked_up(samples[..., 0], tags[_COLOUR_MAP]))
    else:
        picture = _in_colour(samples[..., : layout.colours], layout)
    if layout.alpha is None:
        return picture
    if picture.mode != "L":
        picture = picture.convert("RGB")
    opacity = samples[..., -1]
    if layout.photometric == PALETTE:
        opacity = eight_bits(opacity, layout.bits)
    alpha = Image.fromarray(opacity)
    mode = picture.mode + ("a" if layout.premultiplied else "A")
    return Image.merge(mode, [*picture.split(), alpha])


def _in_colour(colours: NDArray[np.uint8], layout: TiffLayout) -> Image.Image:
    if layout.colours == 1:
        grey = colours[..., 0]
        return Image.fromarray(255 - grey if layout.photometric == WHITE_IS_ZERO else grey)
    if layout.photometric == CIELAB:
        colours = colours ^ np.array([0, 128, 128], np.uint8)  # a and b are signed
    bands = [Image.fromarray(colours[..., band]) for band in range(layout.colours)]
    return Image.merge(_MODES[layout.photometric], bands)


def _looked_up(indices: NDArray[Any], colour_map: Sequence[int]) -> NDArray[np.uint8]:
    """All reds, then all greens, then all blues, in 16 bits."""
    levels = np.array(colour_map, np.uint16).reshape(3, -1) >> 8
    return np.asarray(levels.astype(np.uint8).T[indices])

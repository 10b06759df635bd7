"""Which format a file is in, by its content and not by its name; and its header, read."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from io import BytesIO

from PIL import (
    AvifImagePlugin,
    Image,
    ImageFile,
    Jpeg2KImagePlugin,
    PpmImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from penult.errors import ImageError
from penult.images.pixels.boxes import brands
from penult.images.pixels.heif.image import HeifImage
from penult.images.pixels.icon import is_icon, open_icon
from penult.images.pixels.jpeg2000 import Jpeg2000Image
from penult.images.pixels.tiff.image import TiffImage
from penult.wording import beginning

__all__ = ["open_header"]

# Pillow registers a format when its plugin is imported: `preinit` has the rest.
_PLUGINS = (AvifImagePlugin, Jpeg2KImagePlugin, PpmImagePlugin, TiffImagePlugin, WebPImagePlugin)
Image.preinit()

_AVIF = {b"avif", b"avis"}
_HEIF = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}

# Pillow's formats, the most frequent first, and what reads them in place of Pillow's own.
_PILLOWS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "JPEG2000", "PPM")
_READERS = {"TIFF": TiffImage, "JPEG2000": Jpeg2000Image}

# What else people take for images, by how it begins.
_CONVERT = "which penult does not read; convert it to JPEG or PNG"
_RAW = f"is the raw data of a camera, {_CONVERT}"
_OTHERS = {
    rb"\xff\x0a|\0{3}\x0cJXL \r\n\x87\n": f"is JPEG XL, {_CONVERT}",
    rb"8BPS": f"is a Photoshop file, {_CONVERT}",
    rb"%PDF-": f"is a PDF, {_CONVERT}",
    rb"\s*(<\?xml[^<]*)?(<!--[^<]*)?(<!DOCTYPE svg[^<]*)?<svg": f"is a drawing (SVG), {_CONVERT}",
    rb".{4}ftypcrx |FUJIFILMCCD-RAW|II(RO|RS|U\0)|MMOR|FOVb": _RAW,
    rb".{4}(ftyp|moov)|\x1aE\xdf\xa3|RIFF.{4}AVI ": "is a film, not an image",
}
_OTHER = [(re.compile(begin, re.DOTALL), what) for begin, what in _OTHERS.items()]


def open_header(data: bytes) -> ImageFile.ImageFile:
    """Read the header of an image file; `Image.open` would apply a limit that is a global.

    Raises
    ------
    ImageError
        If it is of no format that is read.
    """
    for accepts, read in _FORMATS:
        if accepts(data):
            return read(data)
    for begin, what in _OTHER:
        if begin.match(data):
            raise ImageError(what)
    raise ImageError(f"is not an image that can be read ({beginning(data)})")


def _is_heif(data: bytes) -> bool:
    main, *others = brands(data) or (b"",)
    if _AVIF & {main} or (_AVIF & {*others} and main in (b"mif1", b"msf1")):
        return False
    return bool(_HEIF & {main, *others})


def _is_pillows(name: str, data: bytes) -> bool:
    _, accept = Image.OPEN[name]
    # A plugin may answer with a text: this Pillow was built without the format.
    return accept is not None and accept(data[:16]) is True


def _read_pillows(name: str, data: bytes) -> ImageFile.ImageFile:
    factory, _ = Image.OPEN[name]
    return _READERS.get(name, factory)(BytesIO(data), "")


_FORMATS: list[tuple[Callable[[bytes], bool], Callable[[bytes], ImageFile.ImageFile]]] = [
    (_is_heif, lambda data: HeifImage(BytesIO(data), "")),
    *((partial(_is_pillows, name), partial(_read_pillows, name)) for name in _PILLOWS),
    (is_icon, open_icon),
]

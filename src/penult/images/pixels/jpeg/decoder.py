"""JPEG: Pillow's pixels, from a decoder that says what it had to make up.

libjpeg gives a picture of nearly every damaged file, and a warning. Pillow drops the warning;
simplejpeg, which bundles the same library and decodes to the same pixels, raises the first one.
"""

from __future__ import annotations

import io

import nanoarrow
import numpy as np
import simplejpeg
from PIL import Image, ImageFile

from penult.errors import ImageError
from penult.images.pixels.jpeg.losses import complaint_of, damaged, ensure_nothing_is_lost
from penult.images.pixels.jpeg.scans import END, START, has_late_height, is_complete

__all__ = ["has_late_height", "is_jpeg", "load", "without_leading_junk"]

_SPACES = {"RGB": "RGBX", "L": "GRAY", "CMYK": "CMYK"}
_WORD = nanoarrow.uint32()

# Of a smaller picture, two of the decoder's scales may have the same size.
_SMALL = 16


def is_jpeg(image: Image.Image) -> bool:
    """Whether it is a JPEG, or the first of several in one file, as phones write them."""
    return image.format in ("JPEG", "MPO")


def without_leading_junk(data: bytes) -> bytes:
    """The file as Pillow accepts it: a marker follows right on the first one."""
    if data[:2] != START or data[2:3] == b"\xff":
        return data
    marker = data.find(b"\xff", 2)
    return data if marker < 0 else START + data[marker:]


def load(image: ImageFile.ImageFile, data: bytes) -> Image.Image:
    """Decode a whole JPEG.

    Parameters
    ----------
    image : Pillow image
        Opened and not yet loaded; `draft` may have made it smaller.
    data : bytes
        The file.

    Returns
    -------
    Pillow image
        With the mode, size and metadata of `image`.

    Raises
    ------
    ImageError
        If data of the picture are lost. What costs no pixel (a missing end mark, bytes between the
        segments or behind the picture, odd metadata) is passed over.
    """
    try:
        return _load(image, data)
    except EOFError:
        # Where all is there but the end mark, nothing is lost.
        assert image.fp is not None
        image.fp.seek(0, io.SEEK_END)
        image.fp.write(END)
    try:
        return _load(image, data + END)
    except (ImageError, EOFError) as error:
        raise ImageError(
            f"is truncated: it ends after {len(data):,} bytes, before the picture does"
        ) from error


def _load(image: ImageFile.ImageFile, data: bytes) -> Image.Image:
    loaded, complaint = _decode(image, data)
    if complaint.startswith("Premature end of"):
        raise EOFError(complaint)
    if complaint:
        ensure_nothing_is_lost(data, complaint)
    if loaded is None:
        try:
            image.load()
        except Exception as error:
            if not complaint or "truncated" in str(error):
                raise
            # Otherwise Pillow's words are the same for whatever happened.
            raise damaged(complaint) from error
    if not is_complete(data):
        raise ImageError("is truncated: its last scans, which the whole picture needs, are missing")
    return loaded or image


def _decode(image: Image.Image, data: bytes) -> tuple[Image.Image | None, str]:
    """The picture, or None where Pillow has to decode it; and the first complaint."""
    width, height = image.size
    space = _SPACES.get(image.mode)
    if space is None or min(width, height) < _SMALL:
        return None, complaint_of(data, len(image.getbands()))
    try:
        pixels = simplejpeg.decode_jpeg(data, space, min_width=width, min_height=height)
    except ValueError as error:
        return None, str(error)
    if pixels.shape[:2] != (height, width):
        return None, ""
    if space == "GRAY":
        loaded = Image.fromarray(pixels[:, :, 0])
    elif space == "CMYK":
        np.invert(pixels, out=pixels)  # Adobe's convention, which Pillow takes for granted
        loaded = Image.frombuffer("CMYK", (width, height), pixels, "raw", "CMYK", 0, 1)
    else:
        # Pillow's own layout, four bytes a pixel, so that nothing is copied.
        words = nanoarrow.c_array_from_buffers(_WORD, width * height, (None, pixels), null_count=0)
        loaded = Image.fromarrow(words, "RGB", (width, height))
    loaded.info = image.info
    return loaded, ""

"""Every colour mode becomes 8-bit RGB, by the rules that docs/images.md states."""

from __future__ import annotations

import numpy as np
from PIL import Image

from penult.errors import ImageError

__all__ = ["mend_transparency", "no_agreed_white", "sample_layout", "to_rgb"]

# TIFF tags: bits per sample; photometric interpretation, of which 0 is "white is zero".
_BITS_PER_SAMPLE, _PHOTOMETRIC, _WHITE_IS_ZERO = 258, 262, 0

_SCALE_OF_LOW_BITS = {"L;2": 85, "L;4": 17}


def sample_layout(image: Image.Image) -> tuple[int, bool]:
    """(bits of a grey sample, is white zero) of an opened image; unknown once it is loaded.

    Pillow unpacks 12-bit TIFF into 16 bits unscaled, and inverts white-is-zero TIFF of up to 8 bits
    only.
    """
    tags = getattr(image, "tag_v2", None)
    if tags is None:
        return 16, False
    bits = tags.get(_BITS_PER_SAMPLE, (1,))
    return int(bits[0]), tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO


def mend_transparency(image: Image.Image) -> None:
    """Bring a PNG's transparent colour to the scale of the pixels; call between open and load.

    A PNG names it at the file's own depth, while Pillow unpacks 2- and 4-bit grey and 16-bit colour
    to 8 bits and leaves the name as it was, so that it matches nothing, or the wrong grey.
    """
    transparent = image.info.get("transparency")
    tiles = getattr(image, "tile", None)
    if transparent is None or not tiles:
        return
    raw_mode = tiles[0][3]
    if raw_mode == "RGB;16B":
        image.info["transparency"] = tuple(value >> 8 for value in transparent)
    elif raw_mode in _SCALE_OF_LOW_BITS:
        image.info["transparency"] = transparent * _SCALE_OF_LOW_BITS[raw_mode]


def to_rgb(image: Image.Image, layout: tuple[int, bool]) -> Image.Image:
    """Convert a loaded image to mode RGB; `layout` is what `sample_layout` said before loading.

    Raises
    ------
    ImageError
        If its numbers have no agreed white: 32-bit integers, floats, signed 16-bit.
    """
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode.startswith("I;16"):
        image = _sixteen_bits_to_eight(image, *layout)
    if image.mode == "I" and image.format == "PPM":
        # Pillow gives grey of more than 8 bits as numbers up to 65,535, whatever white was.
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if image.mode in ("I", "F"):
        raise no_agreed_white(
            "floating-point numbers" if image.mode == "F" else "32-bit or signed integers"
        )
    if image.has_transparency_data:
        return _over_white(image)
    return image.convert("RGB")


def no_agreed_white(numbers: str) -> ImageError:
    """The error of an image of such numbers."""
    return ImageError(f"holds {numbers}, which have no agreed white; save it with 8 or 16 bits")


def _sixteen_bits_to_eight(image: Image.Image, bits: int, white_is_zero: bool) -> Image.Image:
    # The upper eight bits, as Pillow takes them of 16-bit colour, so that grey stored as grey and
    # grey stored as colour come out alike.
    values = np.asarray(image)
    grey = (values >> (bits - 8)).astype(np.uint8)
    if white_is_zero:
        grey = 255 - grey
    transparent = image.info.get("transparency")
    if transparent is None:
        return Image.fromarray(grey)
    alpha = np.where(values == transparent, 0, 255).astype(np.uint8)
    return Image.merge("LA", (Image.fromarray(grey), Image.fromarray(alpha)))


def _over_white(image: Image.Image) -> Image.Image:
    if image.mode == "La":
        image = image.convert("LA")
    # Nothing is copied that need not be: an image may have 179 million pixels.
    rgba = image if image.mode == "RGBA" else image.convert("RGBA")
    white = Image.new("RGB", rgba.size, "white")
    white.paste(rgba, mask=rgba)
    return white

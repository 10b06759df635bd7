"""What is measured of one picture, by cleanvision's formulas."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from penult.images.pixels.decode import decoded
from penult.images.pixels.formats import open_header
from penult.images.pixels.jpeg.decoder import without_leading_junk

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["PictureMeasures", "measure_picture", "measure_pixels"]

MEASURED_SIDE = 512
"""Larger pictures are reduced by a whole number, to no fewer pixels than a square of this side."""

_BLUR_SIDE = 64  # pixels of the longer side
_LUMA = (0.241, 0.691, 0.068)  # red, green, blue, squared


@dataclass(frozen=True)
class PictureMeasures:
    """What is measured of one picture; scores are in [0, 1], and the lower the worse.

    Attributes
    ----------
    dark : float
        The 99th percentile of its pixels' brightness, which is
        sqrt(0.241 R² + 0.691 G² + 0.068 B²) / 255.
    light : float
        1 minus the 5th percentile of their brightness.
    blurry : float
        Of the picture in grey, its longer side reduced to 64 pixels: 1 - exp(-e / 100), where e is
        the standard deviation of its edges (Pillow's ``FIND_EDGES``); and 1 - exp(-h / 100) more,
        if that is above 0.18, where h is the standard deviation of its histogram, which is large
        of graphics; at most 1.
    low_information : float
        A tenth of the entropy, in bits, of the histogram of its 3 × 256 values, at most 1.
    odd_aspect_ratio : float
        Its shorter side over its longer.
    size : float
        The square root of its area, in pixels.
    grayscale : float
        0 if red, green and blue are the same in each pixel, or else 1.
    """

    dark: float
    light: float
    blurry: float
    low_information: float
    odd_aspect_ratio: float
    size: float
    grayscale: float


def measure_picture(data: bytes) -> PictureMeasures:
    """Decode an image file and measure it; safe to call from any thread.

    The formulas are those of cleanvision 0.3.7 (``issue_managers/image_property.py``). Other than
    there, large pictures are measured reduced, which moves the scores by less than a hundredth; and
    all are brought to RGB first, transparent parts as docs/images.md has it, so that the entropy of
    a picture that is stored in grey is log2(3) bits more, and one that is stored in colour is grey
    if it has none.

    Parameters
    ----------
    data : bytes
        The file.

    Returns
    -------
    PictureMeasures

    Raises
    ------
    ImageError
        If it cannot be decoded.
    """
    with decoded(data, at_least=(MEASURED_SIDE, MEASURED_SIDE)) as image:
        width, height = open_header(without_leading_junk(data)).size
        factor = int(math.sqrt(image.width * image.height) / MEASURED_SIDE)
        if factor > 1:
            image = image.reduce(factor)
        return measure_pixels(image, width, height)


def measure_pixels(image: Image.Image, width: int, height: int) -> PictureMeasures:
    """Measure a picture that was decoded, perhaps reduced.

    Parameters
    ----------
    image : Pillow image
        RGB.
    width, height : int
        Of the picture as it is stored, in pixels.

    Returns
    -------
    PictureMeasures
    """
    pixels = np.asarray(image)
    squares = np.square(pixels, dtype=np.float32)
    brightness = np.sqrt(squares @ np.array(_LUMA, np.float32)) / 255
    low, high = np.percentile(brightness, (5, 99))
    first = pixels[..., :1]
    return PictureMeasures(
        dark=float(high),
        light=float(1 - low),
        blurry=_sharpness(image, max(width, height)),
        low_information=min(1.0, 0.1 * float(image.entropy())),
        odd_aspect_ratio=min(width, height) / max(width, height),
        size=math.sqrt(width * height),
        grayscale=float((pixels != first).any()),
    )


def _sharpness(image: Image.Image, longer: int) -> float:
    from PIL import ImageFilter, ImageStat

    if longer > _BLUR_SIDE:
        ratio = max(image.size) / _BLUR_SIDE
        small = (max(1, int(image.width // ratio)), max(1, int(image.height // ratio)))
        image = image.resize(small)
    grey = image.convert("L")
    edges = ImageStat.Stat(grey.filter(ImageFilter.FIND_EDGES)).var[0]
    score = 1 - math.exp(-0.01 * math.sqrt(max(0.0, edges)))
    graphic = 1 - math.exp(-0.01 * float(np.std(grey.histogram())))
    return min(1.0, score + (graphic if graphic > 0.18 else 0))

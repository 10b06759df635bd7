"""Small pictures that travel inside the page."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from penult.web.strips import middle_of_strip

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["Thumbnails", "WholePicture", "data_uri", "square_picture", "whole_picture"]

Made = TypeVar("Made")


@dataclass(frozen=True)
class WholePicture:
    """A small picture of a whole image, and how large the image is.

    Attributes
    ----------
    address : str
        It begins with ``data:``.
    width, height : int
        Of the image, in pixels, upright.
    bytes : int
        Of its file.
    """

    address: str
    width: int
    height: int
    bytes: int


class Thumbnails:
    """Turns ids into `data:` addresses of small pictures, each made once.

    Parameters
    ----------
    open_image : callable
        From an id to the image file's bytes, or None where they cannot be had.
    """

    def __init__(self, open_image: Callable[[str], bytes | None]) -> None:
        self._open_image = open_image
        self._squares: dict[tuple[str, int], str | None] = {}
        self._photos: dict[tuple[str, int], str | None] = {}
        self._whole: dict[tuple[str, int], WholePicture | None] = {}

    def __call__(self, image_id: str, side: int) -> str | None:
        """Return the address of an image's middle square, or None if it has none.

        An image that is gone or broken since its row was made costs its picture, not the page.

        Parameters
        ----------
        image_id : str
            As in the feature file.
        side : int
            Of the square, in pixels.

        Returns
        -------
        str or None
            It begins with ``data:``.
        """
        key = (image_id, side)
        if key not in self._squares:
            self._squares[key] = self._made(image_id, side, _square)
        return self._squares[key]

    def whole(self, image_id: str, side: int) -> WholePicture | None:
        """Return a picture of all of an image, or None if it has none; see `middle_of_strip`.

        Parameters
        ----------
        image_id : str
            As in the feature file.
        side : int
            Of the longer side, in pixels.

        Returns
        -------
        WholePicture or None
            With the size of the image itself.
        """
        key = (image_id, side)
        if key not in self._whole:
            self._whole[key] = self._made(image_id, side, _whole)
        return self._whole[key]

    def photo(self, image_id: str, side: int) -> str | None:
        """Return the address of a picture of all of an image that fills a square, or None.

        As a tile it looks as its middle square does; opened, it is whole, but for the ends of a
        strip; see `middle_of_strip`.

        Parameters
        ----------
        image_id : str
            As in the feature file.
        side : int
            Of the shorter side, in pixels; the longer one has twice as many at most, and then the
            shorter one fewer.

        Returns
        -------
        str or None
            It begins with ``data:``.
        """
        key = (image_id, side)
        if key not in self._photos:
            self._photos[key] = self._made(image_id, side, _photo)
        return self._photos[key]

    def _made(self, image_id: str, side: int, make: Callable[[bytes, int], Made]) -> Made | None:
        from penult.errors import PenultError

        try:
            data = self._open_image(image_id)
            return None if data is None else make(data, side)
        except (OSError, PenultError):
            return None


def square_picture(data: bytes, side: int) -> Image.Image:
    """Decode the middle square of an image.

    Parameters
    ----------
    data : bytes
        The image file.
    side : int
        Of the square, in pixels; of a smaller image it is as large as that.

    Returns
    -------
    PIL image

    Raises
    ------
    ImageError
        If it cannot be decoded.
    """
    from PIL import Image, ImageOps

    image = _decoded(data, side)
    side = min(side, *image.size)  # what shows it enlarges as well, and for nothing
    return ImageOps.fit(image, (side, side), Image.Resampling.LANCZOS)


def whole_picture(data: bytes, side: int) -> Image.Image:
    """Decode a small picture of a whole image.

    Parameters
    ----------
    data : bytes
        The image file.
    side : int
        Of the longer side, in pixels; a smaller image keeps its size.

    Returns
    -------
    PIL image

    Raises
    ------
    ImageError
        If it cannot be decoded.
    """
    from PIL import Image

    image = _decoded(data, side)
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    return image


def _square(data: bytes, side: int) -> str:
    return data_uri(square_picture(data, side))


def _photo(data: bytes, side: int) -> str:
    from PIL import Image

    image = middle_of_strip(_decoded(data, side))
    shorter, longer = sorted(image.size)
    within = min(2 * side, -(-longer * side // max(shorter, 1)))
    image.thumbnail((within, within), Image.Resampling.LANCZOS)
    return data_uri(image)


def _whole(data: bytes, side: int) -> WholePicture:
    from PIL import Image

    image = _decoded(data, side)
    width, height = _stored_size(data)
    turned = (width > height) != (image.width > image.height)
    if turned and image.width != image.height:
        width, height = height, width
    image = middle_of_strip(image)
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    return WholePicture(data_uri(image), width, height, len(data))


def _stored_size(data: bytes) -> tuple[int, int]:
    from penult.images.pixels.formats import open_header
    from penult.images.pixels.jpeg.decoder import without_leading_junk

    return open_header(without_leading_junk(data)).size


def _decoded(data: bytes, side: int) -> Image.Image:
    from penult.images.pixels.decode import decode

    return decode(data, at_least=(2 * side, 2 * side))  # twice as large: sharp when reduced


def data_uri(image: Image.Image) -> str:
    """Return the address of a picture that travels inside the page."""
    out = io.BytesIO()
    image.save(out, "WEBP", quality=78)
    return "data:image/webp;base64," + base64.b64encode(out.getvalue()).decode("ascii")

"""Small pictures that travel inside the page."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable

__all__ = ["Thumbnails"]


class Thumbnails:
    """Turns ids into `data:` addresses of small square pictures, each made once.

    Parameters
    ----------
    open_image : callable
        From an id to the image file's bytes, or None where they cannot be had.
    """

    def __init__(self, open_image: Callable[[str], bytes | None]) -> None:
        self._open_image = open_image
        self._made: dict[tuple[str, int], str | None] = {}

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
        if key not in self._made:
            self._made[key] = self._make(image_id, side)
        return self._made[key]

    def _make(self, image_id: str, side: int) -> str | None:
        from penult.errors import PenultError

        try:
            data = self._open_image(image_id)
            return None if data is None else _data_uri(data, side)
        except (OSError, PenultError):
            return None


def _data_uri(data: bytes, side: int) -> str:
    from PIL import Image, ImageOps

    from penult.images.pixels.decode import decode

    image = decode(data, at_least=(2 * side, 2 * side))  # twice as large: still sharp when reduced
    side = min(side, *image.size)  # the browser enlarges as well, and for nothing
    square = ImageOps.fit(image, (side, side), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    square.save(out, "WEBP", quality=78)
    return "data:image/webp;base64," + base64.b64encode(out.getvalue()).decode("ascii")

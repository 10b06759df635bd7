"""Small pictures side by side on larger ones, which a page decodes where they come into view."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["SHEET", "Sheets", "picture_address", "reduced"]

SHEET = 1024
"""Pixels of a sheet's side: what is in view needs few, and a phone holds them."""

_QUALITY = 72


def picture_address(image: Image.Image) -> str:
    """Encode a picture as WebP, and give its ``data:`` address."""
    out = io.BytesIO()
    image.save(out, "WEBP", quality=_QUALITY)
    return "data:image/webp;base64," + base64.b64encode(out.getvalue()).decode("ascii")


def reduced(square: Image.Image, side: int) -> Image.Image:
    """Make a square smaller; one of that side is given back as it is."""
    from PIL import Image

    if square.width == side:
        return square
    return square.resize((side, side), Image.Resampling.LANCZOS)


class Sheets:
    """Puts squares on sheets, in the order in which they come, until the room is full.

    Parameters
    ----------
    side : int
        Of a square, in pixels.
    room : int
        Characters that all sheets may take.
    """

    def __init__(self, side: int, room: int) -> None:
        self.side, self.across, self.size = side, SHEET // side, 0
        self.addresses: list[str] = []
        self._room, self._full = room, False
        self._squares: list[Image.Image] = []

    @property
    def kept(self) -> int:
        """How many squares are on the sheets, at most."""
        return len(self.addresses) * self.across**2

    def add(self, square: Image.Image) -> int | None:
        """Take a square; returns its number, or None where there is no room."""
        if self._full:
            return None
        self._squares.append(reduced(square, self.side))
        number = self.kept + len(self._squares) - 1
        if len(self._squares) == self.across**2:
            self.close()
        return number

    def close(self) -> None:
        """Make a sheet of what is left."""
        from PIL import Image

        if not self._squares or self._full:
            return
        rows = -(-len(self._squares) // self.across)
        sheet = Image.new("RGB", (self.across * self.side, rows * self.side))
        for k, square in enumerate(self._squares):
            down, right = divmod(k, self.across)
            sheet.paste(square, (right * self.side, down * self.side))
        address = picture_address(sheet)
        self._squares = []
        if self.size + len(address) > self._room:
            self._full = True
            return
        self.size += len(address)
        self.addresses.append(address)

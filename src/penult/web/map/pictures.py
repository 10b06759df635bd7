"""The pictures of a map: small ones on sheets, and larger ones as far as there is room."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.progress import Tell
from penult.web.map.arrays import packed_array
from penult.web.map.reader import SMALL, PictureReader, SmallAndLarge
from penult.web.map.sheets import SHEET, Sheets, picture_address, reduced

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

__all__ = ["MapPictures", "map_pictures"]

_SIDES = (SMALL, 48, 32)  # multiples of 16: no block of WebP's holds two small pictures
_SMALL_SHARE = 0.75  # of the room, which small ones may take before they are made smaller
_PILOT = 48  # images of which it is measured how many bytes a picture takes
_OF_PLACE = 12  # characters of the place of a larger picture
_MARGIN = 1.06  # others may take more bytes than those of the pilot


@dataclass(frozen=True, kw_only=True)
class MapPictures:
    """The pictures of some of a map's rows.

    Attributes
    ----------
    side : int
        Of a small picture, which is a square, in pixels.
    across : int
        Small pictures in a row of a sheet.
    sheets : tuple of str
        ``data:`` addresses of square WebP pictures.
    tiles : int32 array, shape (N,)
        The number of each row's small picture, from 0, counted through the sheets; -1 for none.
    large : mapping of int to str
        ``data:`` addresses of larger pictures, by the places of the rows.
    left_out : int
        Images for whose pictures there was no room.
    missing : int
        Images that could not be read, or are others by now.
    """

    side: int
    across: int
    tiles: NDArray[np.int32]
    sheets: tuple[str, ...] = ()
    large: dict[int, str] = field(default_factory=dict)
    left_out: int = 0
    missing: int = 0

    @property
    def shown(self) -> int:
        """How many rows have a picture."""
        return int((self.tiles >= 0).sum())

    def to_dict(self) -> dict[str, Any]:
        """Write them as what JSON can hold."""
        return {
            "side": self.side,
            "across": self.across,
            "sheets": list(self.sheets),
            "tiles": packed_array(self.tiles),
            "large": {"places": [*self.large], "addresses": [*self.large.values()]},
            "left_out": self.left_out,
            "missing": self.missing,
        }


def map_pictures(
    ids: Sequence[str],
    order: NDArray[np.int64],
    open_image: Callable[[str], bytes | None],
    room: int,
    tell: Tell,
    *,
    seed: int = 0,
) -> MapPictures:
    """Make the pictures of a map, as many as there is room for; each image is opened once.

    The small ones are as large as all of them can be; where all do not even fit as the smallest,
    a random part is shown. What room they leave, larger pictures of a random part take.

    Parameters
    ----------
    ids : sequence of str, length N
        Of the map's rows.
    order : int64 array, shape (N,)
        Places of the rows, those that are near on the map near each other: they share sheets.
    open_image : callable
        From an id to the image file's bytes, or None where they cannot be had.
    room : int
        Characters that all pictures may take.
    tell : callable
        Called with how many images were looked at.
    seed : int
        Of the random parts.

    Returns
    -------
    MapPictures
        That takes no more than `room`.
    """
    drawn = np.random.default_rng(seed).permutation(len(ids)).tolist()
    with PictureReader(ids, open_image, tell) as reading:
        pilot = reading.pilot(drawn, _PILOT)
        side, fit, larger = _plan(pilot, len(ids), room)
        chosen, in_large = {*drawn[:fit]}, {*drawn[:larger]}
        sheets = Sheets(side, room)
        tiles, missing = np.full(len(ids), -1, np.int32), 0
        large: dict[int, str] = {}
        for place, made in reading([one for one in order.tolist() if one in chosen], in_large):
            if made is None:
                missing += 1
            elif (tile := sheets.add(made.small)) is not None:
                tiles[place] = tile
                if place in in_large:
                    large[place] = made.large
        sheets.close()
    tiles[tiles >= sheets.kept] = -1
    left = room - sheets.size
    for place in [*large]:  # the small ones go first
        left -= len(large[place]) + _OF_PLACE
        if left < 0 or tiles[place] < 0:
            del large[place]
    shown = int((tiles >= 0).sum())
    return MapPictures(
        side=side,
        across=SHEET // side,
        sheets=tuple(sheets.addresses),
        tiles=tiles,
        large=large,
        left_out=len(ids) - shown - missing,
        missing=missing,
    )


def _plan(pilot: Sequence[SmallAndLarge], rows: int, room: int) -> tuple[int, int, int]:
    """The side of small pictures, how many of them fit, and how many larger ones beside them."""
    if not pilot:
        return _SIDES[0], rows, 0
    costs = {side: _tile_cost([one.small for one in pilot], side) for side in _SIDES}
    side = next((s for s in _SIDES if costs[s] * rows <= _SMALL_SHARE * room), _SIDES[-1])
    fit = min(rows, int(room / costs[side]))
    of_large = _MARGIN * float(np.mean([len(one.large) + _OF_PLACE for one in pilot]))
    return side, fit, max(0, min(fit, int((room - fit * costs[side]) / of_large)))


def _tile_cost(squares: Sequence[Image.Image], side: int) -> float:
    """Characters that a small picture of this side takes on a sheet, by those of the pilot."""
    from PIL import Image

    sheet = Image.new("RGB", (side * len(squares), side))
    for k, square in enumerate(squares):
        sheet.paste(reduced(square, side), (k * side, 0))
    return _MARGIN * len(picture_address(sheet)) / len(squares)

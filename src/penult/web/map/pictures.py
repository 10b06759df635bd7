"""The pictures of a map: small ones on sheets, and larger ones as far as there is room."""

from __future__ import annotations

import base64
import io
from collections import deque
from collections.abc import Callable, Container, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.errors import PenultError
from penult.machine import cores
from penult.progress import Tell
from penult.records import Progress
from penult.web.map.arrays import packed_array

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

__all__ = ["LARGE", "MapPictures", "map_pictures"]

LARGE = 160
"""Pixels of the longer side of a larger picture, which shows all of the image."""

_SIDES = (64, 48, 32)  # of small ones: multiples of 16, so that WebP's blocks hold one picture each
_SHEET = 1024  # pixels of a sheet's side: what is in view needs few, and a phone holds them
_SMALL_SHARE = 0.75  # of the room, which small ones may take before they are made smaller
_PILOT = 48  # images of which it is measured how many bytes a picture takes
_QUALITY = 72
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
    with _Reading(ids, open_image, tell) as reading:
        pilot = reading.pilot(drawn)
        side, fit, larger = _plan(pilot, len(ids), room)
        chosen, in_large = {*drawn[:fit]}, {*drawn[:larger]}
        sheets = _Sheets(side, room)
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
        across=_SHEET // side,
        sheets=tuple(sheets.addresses),
        tiles=tiles,
        large=large,
        left_out=len(ids) - shown - missing,
        missing=missing,
    )


def _plan(pilot: Sequence[_Made], rows: int, room: int) -> tuple[int, int, int]:
    """The side of small pictures, how many of them fit, and how many larger ones beside them."""
    if not pilot:
        return _SIDES[0], rows, 0
    costs = {side: _tile_cost([one.small for one in pilot], side) for side in _SIDES}
    side = next((s for s in _SIDES if costs[s] * rows <= _SMALL_SHARE * room), _SIDES[-1])
    fit = min(rows, int(room / costs[side]))
    of_large = _MARGIN * float(np.mean([len(one.large) + _OF_PLACE for one in pilot]))
    return side, fit, max(0, min(fit, int((room - fit * costs[side]) / of_large)))


@dataclass(frozen=True)
class _Made:
    """What is made of an image: a square of `_SIDES[0]`, and the address of a larger picture."""

    small: Image.Image
    large: str


class _Reading:
    """Reads images in the order asked for, each once, and has threads decode them."""

    def __init__(
        self, ids: Sequence[str], open_image: Callable[[str], bytes | None], tell: Tell
    ) -> None:
        self._ids, self._open, self._tell = ids, open_image, tell
        self._begun: dict[int, Future[_Made | None]] = {}
        self._opened = 0
        threads = cores()
        self._ahead = 4 * threads
        self._threads = ThreadPoolExecutor(threads, "pictures")

    def __enter__(self) -> _Reading:
        return self

    def __exit__(self, *error: object) -> None:
        self._threads.shutdown(cancel_futures=True)

    def pilot(self, places: Sequence[int]) -> list[_Made]:
        """The first images that can be read, with larger pictures; kept until asked for."""
        found: list[_Made] = []
        for place in places:
            made = self._begin(place, large=True)
            self._begun[place] = made
            if (one := made.result()) is not None:
                found.append(one)
            if len(found) == _PILOT:
                break
        return found

    def __call__(
        self, places: Sequence[int], large: Container[int]
    ) -> Iterator[tuple[int, _Made | None]]:
        waiting = deque[tuple[int, Future[_Made | None]]]()
        for place in places:
            waiting.append((place, self._begin(place, large=place in large)))
            if len(waiting) > self._ahead:
                number, made = waiting.popleft()
                yield number, made.result()
        for number, made in waiting:
            yield number, made.result()

    def _begin(self, place: int, *, large: bool) -> Future[_Made | None]:
        if (begun := self._begun.pop(place, None)) is not None:
            return begun
        data = self._bytes(self._ids[place])
        self._opened += 1
        self._tell(Progress(self._opened, len(self._ids), 0, stage="pictures"))
        if data is not None:
            return self._threads.submit(_make, data, large=large)
        none: Future[_Made | None] = Future()
        none.set_result(None)
        return none

    def _bytes(self, image_id: str) -> bytes | None:
        try:
            return self._open(image_id)
        except (OSError, PenultError):
            return None


def _make(data: bytes, *, large: bool) -> _Made | None:
    """An image that is gone or broken since its row was made costs its picture, not the page."""
    from PIL import Image, ImageOps

    from penult.images.pixels.decode import decode

    side = LARGE if large else _SIDES[0]
    try:
        image = decode(data, at_least=(2 * side, 2 * side))  # sharp when reduced
    except (OSError, PenultError):
        return None
    small = ImageOps.fit(image, (_SIDES[0], _SIDES[0]), Image.Resampling.LANCZOS)
    if large:
        image.thumbnail((LARGE, LARGE), Image.Resampling.LANCZOS)
    return _Made(small, _address(image) if large else "")


def _address(image: Image.Image) -> str:
    out = io.BytesIO()
    image.save(out, "WEBP", quality=_QUALITY)
    return "data:image/webp;base64," + base64.b64encode(out.getvalue()).decode("ascii")


def _tile_cost(squares: Sequence[Image.Image], side: int) -> float:
    """Characters that a small picture of this side takes on a sheet, by those of the pilot."""
    from PIL import Image

    sheet = Image.new("RGB", (side * len(squares), side))
    for k, square in enumerate(squares):
        sheet.paste(_reduced(square, side), (k * side, 0))
    return _MARGIN * len(_address(sheet)) / len(squares)


def _reduced(square: Image.Image, side: int) -> Image.Image:
    from PIL import Image

    if square.width == side:
        return square
    return square.resize((side, side), Image.Resampling.LANCZOS)


class _Sheets:
    """Puts squares on sheets, in the order in which they come, until the room is full."""

    def __init__(self, side: int, room: int) -> None:
        self.side, self.across, self.size = side, _SHEET // side, 0
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
        self._squares.append(_reduced(square, self.side))
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
        address = _address(sheet)
        self._squares = []
        if self.size + len(address) > self._room:
            self._full = True
            return
        self.size += len(address)
        self.addresses.append(address)

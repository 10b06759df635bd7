"""Images, read in turn and made small by threads."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Container, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from penult.errors import PenultError
from penult.machine import cores
from penult.progress import Tell
from penult.records import Progress
from penult.web.map.sheets import picture_address
from penult.web.strips import middle_of_strip

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["LARGE", "SMALL", "PictureReader", "SmallAndLarge"]

LARGE = 160
"""Pixels of the longer side of a larger picture, which shows all of the image."""

SMALL = 64
"""Pixels of the side of a small picture, which is the middle square of the image."""


@dataclass(frozen=True)
class SmallAndLarge:
    """What is made of an image: a square of `SMALL`, and the address of a larger picture."""

    small: Image.Image
    large: str


class PictureReader:
    """Reads images in the order asked for, each once, and has threads decode them.

    Parameters
    ----------
    ids : sequence of str
        Of all images.
    open_image : callable
        From an id to the image file's bytes, or None where they cannot be had.
    tell : callable
        Called with how many images were opened.
    """

    def __init__(
        self, ids: Sequence[str], open_image: Callable[[str], bytes | None], tell: Tell
    ) -> None:
        self._ids, self._open, self._tell = ids, open_image, tell
        self._begun: dict[int, Future[SmallAndLarge | None]] = {}
        self._opened = 0
        threads = cores()
        self._ahead = 4 * threads
        self._threads = ThreadPoolExecutor(threads, "pictures")

    def __enter__(self) -> PictureReader:
        return self

    def __exit__(self, *error: object) -> None:
        self._threads.shutdown(cancel_futures=True)

    def pilot(self, places: Sequence[int], number: int) -> list[SmallAndLarge]:
        """The first images that can be read, with larger pictures; kept until asked for."""
        found: list[SmallAndLarge] = []
        for place in places:
            made = self._begin(place, large=True)
            self._begun[place] = made
            if (one := made.result()) is not None:
                found.append(one)
            if len(found) == number:
                break
        return found

    def __call__(
        self, places: Sequence[int], large: Container[int]
    ) -> Iterator[tuple[int, SmallAndLarge | None]]:
        """Go through images by their places; those of `large` are given a larger picture, too."""
        waiting = deque[tuple[int, Future[SmallAndLarge | None]]]()
        for place in places:
            waiting.append((place, self._begin(place, large=place in large)))
            if len(waiting) > self._ahead:
                number, made = waiting.popleft()
                yield number, made.result()
        for number, made in waiting:
            yield number, made.result()

    def _begin(self, place: int, *, large: bool) -> Future[SmallAndLarge | None]:
        if (begun := self._begun.pop(place, None)) is not None:
            return begun
        data = self._bytes(self._ids[place])
        self._opened += 1
        self._tell(Progress(self._opened, len(self._ids), 0, stage="pictures"))
        if data is not None:
            return self._threads.submit(_make, data, large=large)
        none: Future[SmallAndLarge | None] = Future()
        none.set_result(None)
        return none

    def _bytes(self, image_id: str) -> bytes | None:
        try:
            return self._open(image_id)
        except (OSError, PenultError):
            return None


def _make(data: bytes, *, large: bool) -> SmallAndLarge | None:
    """An image that is gone or broken since its row was made costs its picture, not the page."""
    from PIL import Image, ImageOps

    from penult.images.pixels.decode import decode

    side = LARGE if large else SMALL
    try:
        image = decode(data, at_least=(2 * side, 2 * side))  # sharp when reduced
    except (OSError, PenultError):
        return None
    small = ImageOps.fit(image, (SMALL, SMALL), Image.Resampling.LANCZOS)
    if large:
        image = middle_of_strip(image)
        image.thumbnail((LARGE, LARGE), Image.Resampling.LANCZOS)
    return SmallAndLarge(small, picture_address(image) if large else "")

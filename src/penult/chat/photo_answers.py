"""Photos in; their classes and the nearest pictures out."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from penult.chat.buttons import more_button, nearest_button, wrong_button
from penult.chat.events import NotFetchedError, PhotosSent, SentPhoto
from penult.chat.messenger import Messenger
from penult.chat.options import ChatOptions
from penult.chat.recent_photos import AskedPhoto, RecentPhotos
from penult.chat.replies import Album, Button, Picture, Reply, Text
from penult.chat.service import PhotoService
from penult.chat.trouble import spoken
from penult.chat.wording import class_lines, hit_line, hit_lines, in_short
from penult.errors import PenultError, ServiceError

if TYPE_CHECKING:
    from penult.client.answers import Classified, Found

__all__ = ["PhotoAnswers"]

_TOP = 5
_FOUND = 50  # how many are asked for, so that "More" need not have the photo again
_AT_ONCE = 8  # photos in memory, each of up to what the messenger hands over
_THUMBNAILS_AT_ONCE = 16
_IN_A_ROW = 5
_NOT_SERVED = 404


class PhotoAnswers:
    """What is answered to photos.

    Parameters
    ----------
    service, messenger, options, recent : of the conversation
    """

    def __init__(
        self,
        service: PhotoService,
        messenger: Messenger,
        options: ChatOptions,
        recent: RecentPhotos,
    ) -> None:
        self._service = service
        self._messenger = messenger
        self._options = options
        self._recent = recent
        self._told: set[str] = set()
        self._at_once = asyncio.Semaphore(_AT_ONCE)
        self._thumbnails_at_once = asyncio.Semaphore(_THUMBNAILS_AT_ONCE)

    async def of(self, event: PhotosSent) -> list[Reply]:
        """Answer one photo in full, or each of an album in a line."""
        asked = [self._ask(event.user, photo) for photo in event.photos]
        photos = await asyncio.gather(*asked)
        tip = self._tip(event.user, [one for one in photos if isinstance(one, AskedPhoto)])
        if len(photos) > 1:
            return [Text(text="\n".join(_in_lines(photos) + tip), buttons=_of_album(photos))]
        (photo,) = photos
        if isinstance(photo, str):
            return [Text(text=photo)]
        return await self.in_full(photo, tip)

    async def in_full(self, photo: AskedPhoto, tip: list[str] | None = None) -> list[Reply]:
        """Show the nearest pictures, and below them the class and what can be done."""
        lines = class_lines(photo.classified) if photo.classified else []
        if photo.exact_copy is not None:
            lines.append(f"The gallery has this very file: {photo.exact_copy}")
        return await self._shown(photo, 0, lines, tip or [])

    async def more(self, photo: AskedPhoto, start: int) -> list[Reply]:
        """Show the next pictures."""
        return await self._shown(photo, start, [], [])

    async def _shown(
        self, photo: AskedPhoto, start: int, lines: list[str], tip: list[str]
    ) -> list[Reply]:
        end = start + min(self._options.k, self._messenger.max_pictures)
        hits = photo.hits[start:end]
        photo.shown = max(photo.shown, start + len(hits))
        captions = [hit_line(start + place, hit) for place, hit in enumerate(hits, start=1)]
        thumbnails = await asyncio.gather(*(self._thumbnail(hit.id) for hit in hits))
        pictures = tuple(
            Picture(data=data, caption=caption)
            for caption, data in zip(captions, thumbnails, strict=True)
            if data is not None
        )
        if hits:
            lines = [*lines, *([""] if lines else []), "Nearest pictures:"]
            lines += hit_lines(hits, start + 1)
        elif not lines:
            lines = ["There are no more pictures."]
        buttons: list[Button] = []
        if end < len(photo.hits):
            buttons.append(more_button(photo, end))
        if self._options.relabel and photo.hits:
            buttons.append(wrong_button(photo))
        text = Text(text="\n".join([*lines, *tip]), buttons=(tuple(buttons),) if buttons else ())
        return [Album(pictures=pictures), text] if pictures else [text]

    async def _thumbnail(self, id: str) -> bytes | None:
        try:
            async with self._thumbnails_at_once:
                return await self._service.thumbnail(id)
        except PenultError:
            return None  # a service without images, or without this one: its line is shown anyway

    async def _ask(self, user: str, sent: SentPhoto) -> AskedPhoto | str:
        limit = self._messenger.max_bytes
        if sent.size is not None and sent.size > limit:
            return (
                f"{self._messenger.name} hands files of up to {limit / 1e6:.0f} MB to bots, and "
                f"this one has {sent.size / 1e6:.1f} MB. Please send a smaller one."
            )
        try:
            async with self._at_once:
                data = await sent.read()
                classified, found = await asyncio.gather(self._class(data), self._search(data))
        except NotFetchedError:
            name = self._messenger.name
            return f"I could not fetch that from {name}. Please send it again."
        except PenultError as error:
            return spoken(error)
        photo = self._recent.add(user, as_file=sent.as_file)
        photo.classified = classified
        if found is not None:
            photo.hits, photo.exact_copy = found.hits, found.exact_copy
        return photo

    async def _class(self, data: bytes) -> Classified | None:
        try:
            return await self._service.classify(data, top=_TOP)
        except ServiceError as error:
            if error.status == _NOT_SERVED:
                return None
            raise

    async def _search(self, data: bytes) -> Found | None:
        try:
            return await self._service.search(photo=data, k=_FOUND)
        except ServiceError as error:
            if error.status == _NOT_SERVED:  # a classifier alone is served
                return None
            raise

    def _tip(self, user: str, photos: list[AskedPhoto]) -> list[str]:
        """Say to a user, once, what compression takes from their photos."""
        if user in self._told or all(one.as_file or not one.hits for one in photos):
            return []
        if len(self._told) >= _TOLD:
            self._told.clear()
        self._told.add(user)
        name, how = self._messenger.name, self._messenger.sending_a_file
        return [
            "",
            f"{name} has compressed your photo. Send it as a file ({how}) and it keeps its bytes: "
            "then I also see whether the gallery has the very same file.",
        ]


_TOLD = 10_000


def _in_lines(photos: list[AskedPhoto | str]) -> list[str]:
    return [
        f"{number}. {one if isinstance(one, str) else in_short(one.classified)}"
        for number, one in enumerate(photos, start=1)
    ]


def _of_album(photos: list[AskedPhoto | str]) -> tuple[tuple[Button, ...], ...]:
    buttons = [
        nearest_button(one, number)
        for number, one in enumerate(photos, start=1)
        if isinstance(one, AskedPhoto)
    ]
    rows = range(0, len(buttons), _IN_A_ROW)
    return tuple(tuple(buttons[first : first + _IN_A_ROW]) for first in rows)

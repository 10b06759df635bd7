"""A conversation: something is sent, and it is answered. No messenger is known here."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from weakref import WeakValueDictionary

from penult.chat.buttons import Press, read_press
from penult.chat.correction import Correction
from penult.chat.events import (
    ButtonPressed,
    CommandSent,
    Event,
    OtherSent,
    PhotosSent,
    WordsSent,
)
from penult.chat.messenger import Messenger
from penult.chat.options import ChatOptions
from penult.chat.photo_answers import PhotoAnswers
from penult.chat.rate_limit import RateLimit
from penult.chat.recent_photos import AskedPhoto, RecentPhotos
from penult.chat.replies import Notice, Reply, Text
from penult.chat.service import PhotoService
from penult.chat.trouble import asked_to_wait
from penult.chat.welcome import welcome
from penult.errors import PenultError

__all__ = ["Conversation"]


class Conversation:
    """Answers what people send, each in turn, and many people at once.

    Parameters
    ----------
    service : PhotoService
        Looks at the photos; `penult.AsyncClient`.
    messenger : Messenger
        The limits of the messenger.
    options : ChatOptions, optional
        What who runs the bot decides.
    clock : callable, optional
        Gives the time in seconds, for the limit of each user.
    """

    def __init__(
        self,
        service: PhotoService,
        messenger: Messenger,
        options: ChatOptions | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._service = service
        self._messenger = messenger
        self._options = options or ChatOptions()
        self._limit = RateLimit(self._options.per_minute, clock)
        self._recent = RecentPhotos()
        self._photos = PhotoAnswers(service, messenger, self._options, self._recent)
        self._correction = Correction(service, messenger)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def reply(self, event: Event) -> list[Reply]:
        """Answer something that was sent.

        Parameters
        ----------
        event : Event
            What, by whom, and where.

        Returns
        -------
        list of Reply
            In the order in which they are to be sent; empty where nothing is to be said.
        """
        cost = len(event.photos) if isinstance(event, PhotosSent) else 1
        refusal = self._limit.take(event.user, cost)
        if refusal is not None:
            shown = refusal.first or isinstance(event, ButtonPressed)
            return _refused(event, asked_to_wait(refusal.seconds)) if shown else []
        if self._options.allow and event.user not in self._options.allow:
            return _refused(event, "This bot answers only people whom its owner has let in.")
        # What one user sends is answered one after the other. A lock is kept by who waits for it.
        turn = self._turns.setdefault(event.user, asyncio.Lock())
        async with turn:
            return await self._answer(event)

    async def _answer(self, event: Event) -> list[Reply]:
        match event:
            case WordsSent():
                typed = await self._correction.typed(event.chat, event.user, event.words)
                return typed or [Text(text="Please send me a photo. /help says what I can do.")]
            case ButtonPressed():
                return await self._pressed(event)
            case CommandSent(name="cancel"):
                was = self._correction.stop_asking(event.chat, event.user)
                return [
                    Text(text="All is left as it is." if was else "There is nothing to cancel.")
                ]
        self._correction.stop_asking(event.chat, event.user)
        match event:
            case PhotosSent():
                return await self._photos.of(event)
            case CommandSent(name="start" | "help"):
                return [await self._welcome()]
            case CommandSent(name=name):
                return [Text(text=f"I do not know /{name}. Send me a photo; /help says more.")]
            case OtherSent(what=what):
                return [Text(text=f"That is {what}, and I only know photos. Please send me one.")]
        return []

    async def _welcome(self) -> Text:
        try:
            gallery = await self._service.gallery()
        except PenultError:
            gallery = None  # without a gallery, or a service, it can still be said what a bot does
        return welcome(self._messenger, self._options, gallery)

    async def _pressed(self, event: ButtonPressed) -> list[Reply]:
        press = read_press(event.data)
        photo = self._recent.get(press.key) if press else None
        if press is None or photo is None:
            return [Notice("I no longer remember that photo. Please send it again.")]
        if press.action in "nm":
            return await self._show(photo, press)
        if event.user != photo.user:
            return [Notice("Only who sent the photo can do that.")]
        if not self._options.relabel:
            return [Notice("Labels cannot be changed here.")]
        return await self._correct(event.chat, photo, press)

    async def _show(self, photo: AskedPhoto, press: Press) -> list[Reply]:
        if press.action == "n":
            return await self._photos.in_full(photo)
        return await self._photos.more(photo, max(0, press.numbers[0]))

    async def _correct(self, chat: str, photo: AskedPhoto, press: Press) -> list[Reply]:
        if press.action != "t":
            self._correction.stop_asking(chat, photo.user)
        match press.action, press.numbers:
            case "w", _:
                return self._correction.begin(photo)
            case "p", (place,):
                return self._correction.choose(photo, place)
            case "c", (place, choice):
                return await self._correction.chosen(photo, place, choice)
            case "t", (place,):
                return self._correction.ask(chat, photo, place)
            case "u", (entry,):
                return await self._correction.undo(photo, entry)
        return [Text(text="All is left as it is.", replaces=True)]


def _refused(event: Event, text: str) -> list[Reply]:
    return [Notice(text)] if isinstance(event, ButtonPressed) else [Text(text=text)]

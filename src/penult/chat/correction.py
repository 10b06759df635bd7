"""What "Wrong?" leads to: a picture of the gallery gets another label, in the label log.

The log holds labels of the gallery's pictures. So a photo that is one of them, byte for byte, can
be put right itself. A new photo has no label anywhere; what can be wrong there is the label of a
picture that it was compared with, and that can be chosen by its number.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from types import EllipsisType

from penult.chat.buttons import (
    EXACT_COPY,
    cancel_button,
    class_button,
    picture_button,
    typed_button,
    undo_button,
)
from penult.chat.messenger import Messenger
from penult.chat.recent_photos import AskedPhoto
from penult.chat.replies import Button, Notice, Reply, Text
from penult.chat.service import PhotoService
from penult.chat.trouble import spoken
from penult.chat.wording import label_of
from penult.errors import PenultError, ServiceError
from penult.spelling import closest

__all__ = ["Correction"]

_LIKELY = 6
_IN_A_ROW = 2
_NUMBERS_IN_A_ROW = 5
_LONGEST = 200
_KEPT = 5_000


class Correction:
    """Labels put right by who has sent a photo.

    Parameters
    ----------
    service : PhotoService
        Keeps the label log.
    messenger : Messenger
        By which users are named in the log.
    """

    def __init__(self, service: PhotoService, messenger: Messenger) -> None:
        self._service = service
        self._messenger = messenger
        self._typing: OrderedDict[tuple[str, str], tuple[AskedPhoto, int]] = OrderedDict()

    def begin(self, photo: AskedPhoto) -> list[Reply]:
        """Ask what is wrong."""
        if photo.exact_copy is not None:
            return self.choose(photo, EXACT_COPY)
        shown = range(photo.shown)
        numbers = [picture_button(photo, place) for place in shown]
        hint = (
            ""
            if photo.as_file
            else "If it is a picture of the gallery, send it as a file "
            f"({self._messenger.sending_a_file}), so that I can see that it is.\n"
        )
        text = (
            "Your photo is not one of the gallery's pictures, and only those have a label that can "
            f"be put right.\n{hint}Is one of the pictures that I have shown labelled wrongly?"
        )
        rows = [*_rows(numbers, _NUMBERS_IN_A_ROW), (cancel_button(photo, "No"),)]
        return [Text(text=text, buttons=tuple(rows))]

    def choose(self, photo: AskedPhoto, place: int) -> list[Reply]:
        """Ask for the right class of a picture."""
        if not _is_there(photo, place):
            return _forgotten()
        return [replace(_question(photo, place), replaces=place != EXACT_COPY)]

    def ask(self, chat: str, photo: AskedPhoto, place: int) -> list[Reply]:
        """Have the class typed."""
        if not _is_there(photo, place):
            return _forgotten()
        self._typing[chat, photo.user] = photo, place
        while len(self._typing) > _KEPT:
            self._typing.popitem(last=False)
        return [Text(text="Type its class, please.", asks=True)]

    def stop_asking(self, chat: str, user: str) -> bool:
        """Take what is typed next for no class; say whether it would have been one."""
        return self._typing.pop((chat, user), None) is not None

    async def typed(self, chat: str, user: str, words: str) -> list[Reply] | None:
        """Take a text for the class that was asked for; None where none was."""
        if (chat, user) not in self._typing:
            return None
        photo, place = self._typing[chat, user]
        label = " ".join(words.split())
        if not label or len(label) > _LONGEST or not label.isprintable():
            text = f"A class has 1 to {_LONGEST} letters on one line. Type it again, please."
            return [Text(text=text, asks=True)]
        self.stop_asking(chat, user)
        try:
            known = [one.label for one in (await self._service.gallery()).labels]
        except PenultError as error:
            return [Text(text=spoken(error))]
        same = [one for one in known if one.casefold() == label.casefold()]
        if same:
            return await self.put(photo, place, label if label in same else same[0])
        likely = [class_button(photo, place, one) for one in closest(label, known, 3)]
        new = class_button(photo, place, label, "A new class")
        text = f"The gallery has no class {label}. Is it a new one" + "?" * (not likely)
        if likely:
            text += ", or one of these?"
        rows = (*_rows(likely, _IN_A_ROW), (new, cancel_button(photo)))
        return [Text(text=text, buttons=rows)]

    async def chosen(self, photo: AskedPhoto, place: int, choice: int) -> list[Reply]:
        """Put the class on a button that was pressed into the log."""
        if not _is_there(photo, place) or not 0 <= choice < len(photo.choices):
            return _forgotten()
        return await self.put(photo, place, photo.choices[choice])

    async def put(self, photo: AskedPhoto, place: int, label: str) -> list[Reply]:
        """Put a class into the log, if the picture still has the label that was shown."""
        id = _id(photo, place)
        try:
            entry = await self._service.set_label(
                id, label, who=self._who(photo), expected=_seen(photo, place)
            )
        except PenultError as error:
            if (now := _label_instead(error, id)) is not ...:
                photo.labels[id] = now
                asked = _question(photo, place)
                text = f"Its label was changed since I showed it, and I have left it.\n{asked.text}"
                return [replace(asked, text=text, replaces=True)]
            return [Text(text=spoken(error), replaces=True)]
        photo.labels[entry.id] = entry.new
        if entry.old == entry.new:
            noted = f"Confirmed: {entry.id} is {entry.new}."
        else:
            before = "had no label" if entry.old is None else f"was {entry.old}"
            noted = f"Noted: {entry.id} {before}, and is {entry.new} now. Thank you!"
        undo = ((undo_button(photo, entry.entry),),)
        return [Text(text=noted, buttons=undo, replaces=True)]

    async def undo(self, photo: AskedPhoto, entry: int) -> list[Reply]:
        """Undo an entry of the log."""
        try:
            undone = await self._service.undo(entry=entry, who=self._who(photo))
        except PenultError as error:
            return [Text(text=spoken(error))]
        photo.labels.update((one.id, one.new) for one in undone.entries)
        lines = [
            f"Undone: {one.id} " + ("has no label" if one.new is None else f"is {one.new}") + "."
            for one in undone.entries
        ]
        return [Text(text="\n".join(lines) or "It was undone before.", replaces=True)]

    def _who(self, photo: AskedPhoto) -> str:
        return f"{self._messenger.name.lower()}:{photo.user}"


def _is_there(photo: AskedPhoto, place: int) -> bool:
    return photo.exact_copy is not None if place == EXACT_COPY else 0 <= place < len(photo.hits)


def _forgotten() -> list[Reply]:
    return [Notice("That button is of no use any more.")]


def _id(photo: AskedPhoto, place: int) -> str:
    if place == EXACT_COPY:
        assert photo.exact_copy is not None
        return photo.exact_copy
    return photo.hits[place].id


def _name(photo: AskedPhoto, place: int) -> str:
    return _id(photo, place) if place == EXACT_COPY else f"Picture {place + 1}"


def _question(photo: AskedPhoto, place: int) -> Text:
    buttons = [class_button(photo, place, label) for label in _likely(photo, place)]
    last = (typed_button(photo, place), cancel_button(photo))
    label = _label(photo, place)
    now = "has no label" if label is None else f"is labelled {label}"
    text = f"{_name(photo, place)} {now}. What is it?"
    return Text(text=text, buttons=(*_rows(buttons, _IN_A_ROW), last))


def _label(photo: AskedPhoto, place: int) -> str | None:
    id = _id(photo, place)
    if id in photo.labels:
        return photo.labels[id]
    return next((label_of(hit) for hit in photo.hits if hit.id == id), None)


def _seen(photo: AskedPhoto, place: int) -> str | EllipsisType | None:
    """The label that was shown, as the service writes it; ... where none was known."""
    id = _id(photo, place)
    if id in photo.labels:
        return photo.labels[id]
    hit = next((hit for hit in photo.hits if hit.id == id), None)
    if hit is None:
        return ...
    return hit.label if hit.label is not None else "|".join(hit.labels or ()) or None


def _label_instead(error: PenultError, id: str) -> str | EllipsisType | None:
    """The label that a picture has instead of the one that was expected; ... of other refusals."""
    others = error.members.get("labels") if isinstance(error, ServiceError) else None
    for one in others if isinstance(others, list) else ():
        if isinstance(one, dict) and one.get("id") == id:
            label = one.get("label")
            return label if isinstance(label, str) else None
    return ...


def _likely(photo: AskedPhoto, place: int) -> list[str]:
    """The classes that are offered: what it may be, what it is like, and what it is labelled."""
    top = [one.label for one in photo.classified.top] if photo.classified else []
    near = [hit.label for hit in photo.hits if hit.label is not None]
    present = _label(photo, place)
    first = [] if present is None else [present]
    return list(dict.fromkeys([*first, *top, *near]))[:_LIKELY]


def _rows(buttons: list[Button], width: int) -> list[tuple[Button, ...]]:
    return [tuple(buttons[first : first + width]) for first in range(0, len(buttons), width)]

"""Buttons, and what they carry: a letter, the key of a photo and numbers, far below 64 bytes.

A button names nothing that a user could put something else into: ids and classes stay with the bot.
"""

from __future__ import annotations

from dataclasses import dataclass

from penult.chat.recent_photos import AskedPhoto
from penult.chat.replies import Button
from penult.chat.wording import cut

__all__ = [
    "EXACT_COPY",
    "Press",
    "cancel_button",
    "class_button",
    "more_button",
    "nearest_button",
    "picture_button",
    "read_press",
    "typed_button",
    "undo_button",
    "wrong_button",
]

EXACT_COPY = -1
"""In the place of a picture's number: the gallery's image that has the photo's bytes."""

_ON_A_BUTTON = 40
_NUMBERS = {"n": 0, "m": 1, "w": 0, "p": 1, "c": 2, "t": 1, "x": 0, "u": 1}


@dataclass(frozen=True)
class Press:
    """What a button carries, read.

    Attributes
    ----------
    action : str
        A letter: n(earest), m(ore), w(rong), p(icture), c(lass), t(yped), x (cancel), u(ndo).
    key : str
        Of the photo.
    numbers : tuple of int
        As many as the action takes.
    """

    action: str
    key: str
    numbers: tuple[int, ...]


def read_press(data: str) -> Press | None:
    """Read what a button carried; None where no button of ours does."""
    action, *rest = data.split(":")
    if action not in _NUMBERS or len(rest) != 1 + _NUMBERS[action]:
        return None
    try:
        return Press(action, rest[0], tuple(map(int, rest[1:])))
    except ValueError:
        return None


def nearest_button(photo: AskedPhoto, number: int) -> Button:
    """Show the nearest pictures to a photo of an album."""
    return Button(f"Nearest to {number}", f"n:{photo.key}")


def more_button(photo: AskedPhoto, start: int) -> Button:
    """Show the pictures from a place on."""
    return Button("More pictures", f"m:{photo.key}:{start}")


def wrong_button(photo: AskedPhoto) -> Button:
    """Say that an answer is wrong."""
    return Button("Wrong?", f"w:{photo.key}")


def picture_button(photo: AskedPhoto, place: int) -> Button:
    """Choose a picture that was shown, by its place from 0 on."""
    return Button(str(place + 1), f"p:{photo.key}:{place}")


def class_button(photo: AskedPhoto, place: int, label: str, text: str = "") -> Button:
    """Choose a class for a picture."""
    on_it = text or cut(label, _ON_A_BUTTON)
    return Button(on_it, f"c:{photo.key}:{place}:{photo.choice(label)}")


def typed_button(photo: AskedPhoto, place: int) -> Button:
    """Type the class of a picture."""
    return Button("Another class", f"t:{photo.key}:{place}")


def cancel_button(photo: AskedPhoto, text: str = "Cancel") -> Button:
    """Leave it as it is."""
    return Button(text, f"x:{photo.key}")


def undo_button(photo: AskedPhoto, entry: int) -> Button:
    """Undo an entry of the label log."""
    return Button("Undo", f"u:{photo.key}:{entry}")

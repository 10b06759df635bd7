"""What was answered lately, for the buttons below the answers."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from penult.client.answers import Classified, FoundHit

__all__ = ["AskedPhoto", "RecentPhotos"]

_KEPT = 5_000


@dataclass(eq=False)
class AskedPhoto:
    """What the service said of a photo. The photo itself is not kept.

    Attributes
    ----------
    key : str
        By which buttons name it.
    user : str
        Who sent it.
    as_file : bool
        Whether it came with its own bytes.
    classified : Classified or None
        Its class; None where the service knows no classes.
    hits : tuple of FoundHit
        The nearest pictures.
    exact_copy : str or None
        The gallery's image with the same bytes.
    shown : int
        How many of the nearest were shown.
    choices : list of str
        Classes that buttons have offered. Only added to, for a button of an old answer has to go
        on meaning the class that is on it.
    labels : dict of str to (str or None)
        What pictures are labelled that were changed since they were found, as far as the bot knows.
    """

    key: str
    user: str
    as_file: bool
    classified: Classified | None = None
    hits: tuple[FoundHit, ...] = ()
    exact_copy: str | None = None
    shown: int = 0
    choices: list[str] = field(default_factory=list)
    labels: dict[str, str | None] = field(default_factory=dict)

    def choice(self, label: str) -> int:
        """Return the number by which a button names a class."""
        if label not in self.choices:
            self.choices.append(label)
        return self.choices.index(label)


class RecentPhotos:
    """The last photos that were answered, a bounded number of them."""

    def __init__(self, kept: int = _KEPT) -> None:
        self._photos: OrderedDict[str, AskedPhoto] = OrderedDict()
        self._kept = kept

    def add(self, user: str, *, as_file: bool) -> AskedPhoto:
        """Remember a photo of a user; the oldest one is forgotten where there are too many."""
        photo = AskedPhoto(secrets.token_urlsafe(6), user, as_file)
        self._photos[photo.key] = photo
        while len(self._photos) > self._kept:
            self._photos.popitem(last=False)
        return photo

    def get(self, key: str) -> AskedPhoto | None:
        """Return the photo of a key; None where it is forgotten."""
        if key in self._photos:
            self._photos.move_to_end(key)
        return self._photos.get(key)

"""What people send to a bot, in whatever messenger."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

__all__ = [
    "ButtonPressed",
    "CommandSent",
    "Event",
    "NotFetchedError",
    "OtherSent",
    "PhotosSent",
    "SentPhoto",
    "WordsSent",
]


class NotFetchedError(Exception):
    """A photo that was sent cannot be had from the messenger."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that somebody has sent.

    Attributes
    ----------
    user : str
        Who, by the messenger's number for them.
    chat : str
        Where: a chat of the two alone, or a group.
    """

    user: str
    chat: str


@dataclass(frozen=True, kw_only=True)
class SentPhoto:
    """A photo that can be fetched.

    Attributes
    ----------
    read : callable
        Fetches its bytes; raises NotFetchedError.
    as_file : bool
        Whether the messenger has kept its bytes, and not compressed it anew.
    size : int or None
        In bytes, as far as the messenger says it.
    """

    read: Callable[[], Awaitable[bytes]] = field(repr=False)
    as_file: bool
    size: int | None = None


@dataclass(frozen=True, kw_only=True)
class PhotosSent(Event):
    """One photo, or an album of several."""

    photos: tuple[SentPhoto, ...]


@dataclass(frozen=True, kw_only=True)
class CommandSent(Event):
    """A command, without its slash: ``"help"``."""

    name: str


@dataclass(frozen=True, kw_only=True)
class ButtonPressed(Event):
    """A button below an answer, by what it carries."""

    data: str


@dataclass(frozen=True, kw_only=True)
class WordsSent(Event):
    """A text."""

    words: str


@dataclass(frozen=True, kw_only=True)
class OtherSent(Event):
    """Anything that is no photo, as a noun with its article: ``"a sticker"``."""

    what: str

"""What Telegram delivers, as events of a conversation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import quote

from telegram import Bot, Document, Message, MessageEntity, PhotoSize
from telegram.error import TelegramError
from telegram.helpers import effective_message_type

from penult.chat.events import (
    CommandSent,
    Event,
    NotFetchedError,
    OtherSent,
    PhotosSent,
    SentPhoto,
    WordsSent,
)
from penult.chat.telegram.limits import TELEGRAM
from penult.chat.telegram.patience import patiently

__all__ = ["event_of", "photo_in"]

_FIND = "find"
_COMMANDS = (_FIND, "help", "start", "cancel")
_NO_PHOTO = ("application/pdf", "application/zip", "application/x-", "audio/", "text/", "video/")
_NOUNS = {
    "animation": "an animation",
    "audio": "a piece of music",
    "contact": "a contact",
    "dice": "a die",
    "document": "a file of another kind",
    "game": "a game",
    "location": "a place",
    "paid_media": "something to be paid for",
    "poll": "a poll",
    "sticker": "a sticker",
    "story": "a story",
    "venue": "a place",
    "video": "a video",
    "video_note": "a video",
    "voice": "a voice message",
}
_DOCUMENTS = {"application/pdf": "a PDF", "application/zip": "a zip archive"}


def event_of(messages: Sequence[Message], bot: Bot) -> Event | None:
    """Return what a message is to the conversation, or the messages of an album.

    Parameters
    ----------
    messages : sequence of Message
        One, or those of one album.
    bot : Bot
        Knows its own name, and fetches files.

    Returns
    -------
    Event or None
        None where nothing is to be answered: to what is said to others in a group, to what Telegram
        itself reports.
    """
    first = messages[0]
    if first.from_user is None or first.from_user.is_bot:
        return None
    who = {"user": str(first.from_user.id), "chat": str(first.chat_id)}
    alone = first.chat.type == "private"
    commands = [_command(one, bot) for one in messages]
    command = next((name for name, _ in filter(None, commands)), None)
    named = any(mine for _, mine in filter(None, commands))
    addressed = alone or named or any(_is_addressed(one, bot) for one in messages)
    # A command without a bot's name may be meant for any bot in the group.
    if not addressed and command not in _COMMANDS:
        return None
    photos = [photo for one in messages if (photo := photo_in(one, bot)) is not None]
    asked_for = first.reply_to_message
    if not photos and asked_for is not None and (command == _FIND or (not alone and not command)):
        # The photo of the message that this one is a reply to, if that is somebody else's.
        photo = None if _is_from(asked_for, bot) else photo_in(asked_for, bot)
        photos = [] if photo is None else [photo]
    if photos:
        return PhotosSent(photos=tuple(photos), **who)
    if command == _FIND:
        return OtherSent(what="no photo that you replied to", **who)
    if command is not None:
        return CommandSent(name=command, **who)
    if first.text is not None:
        return WordsSent(words=_without_name(first, bot), **who)
    what = _noun(first)
    return None if what is None else OtherSent(what=what, **who)


def photo_in(message: Message, bot: Bot) -> SentPhoto | None:
    """Return the photo of a message: one that Telegram compressed, or one that came as a file."""
    if message.photo:
        fit = [one for one in message.photo if (one.file_size or 0) <= TELEGRAM.max_bytes]
        largest = max(fit or message.photo, key=lambda one: one.width * one.height)
        return SentPhoto(read=_reader(bot, largest), as_file=False, size=largest.file_size)
    document = message.document
    if document is None or message.animation is not None:
        return None
    if (document.mime_type or "").startswith(_NO_PHOTO):
        return None
    # What it is, is seen in its bytes, by the service: many names and types say nothing.
    return SentPhoto(read=_reader(bot, document), as_file=True, size=document.file_size)


def _reader(bot: Bot, file: PhotoSize | Document) -> Callable[[], Awaitable[bytes]]:
    async def read() -> bytes:
        try:
            found = await bot.get_file(file.file_id)
            path = found.file_path or ""
            # The library takes a path that happens to exist here for a file of this machine's.
            url = path if path.startswith("http") else f"{bot.base_file_url}/{quote(path)}"
            return bytes(await patiently(lambda: bot.request.retrieve(url, read_timeout=60)))
        except TelegramError:
            raise NotFetchedError from None  # its text may have the address, and so the token

    return read


def _command(message: Message, bot: Bot) -> tuple[str, bool] | None:
    """The command of a text or caption, and whether it names this bot; None without one."""
    words = {**message.parse_entities(), **message.parse_caption_entities()}
    for entity, text in words.items():
        if entity.type == MessageEntity.BOT_COMMAND and entity.offset == 0:
            name, _, whose = text[1:].partition("@")
            if not whose or whose.casefold() == (bot.username or "").casefold():
                return name.casefold(), bool(whose)
    return None


def _is_addressed(message: Message, bot: Bot) -> bool:
    """Whether a message in a group mentions this bot, or is a reply to it."""
    if message.reply_to_message is not None and _is_from(message.reply_to_message, bot):
        return True
    name = f"@{bot.username}".casefold()
    words = {**message.parse_entities(), **message.parse_caption_entities()}
    return any(
        entity.type == MessageEntity.MENTION and text.casefold() == name
        for entity, text in words.items()
    )


def _is_from(message: Message, bot: Bot) -> bool:
    return message.from_user is not None and message.from_user.id == bot.id


def _without_name(message: Message, bot: Bot) -> str:
    text = message.text or ""
    for entity, word in message.parse_entities().items():
        if entity.type == MessageEntity.MENTION and word == f"@{bot.username}":
            text = text.replace(word, " ")
    return text.strip()


def _noun(message: Message) -> str | None:
    kind = effective_message_type(message)
    if kind == "document" and message.document is not None:
        return _DOCUMENTS.get(message.document.mime_type or "", _NOUNS["document"])
    return _NOUNS.get(str(kind))

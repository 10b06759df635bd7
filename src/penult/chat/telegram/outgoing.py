"""What a conversation answers, as calls to Telegram."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from telegram import (
    CallbackQuery,
    ForceReply,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaPhoto,
    LinkPreviewOptions,
    Message,
)
from telegram.error import BadRequest, Forbidden

from penult.chat.replies import Album, Notice, Reply, Text
from penult.chat.telegram.limits import CAPTION, NOTICE, TEXT
from penult.chat.wording import cut

__all__ = ["send"]

_log = logging.getLogger(__name__)

_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)
_FEWEST = 2  # pictures of what Telegram takes for an album


async def send(
    replies: Sequence[Reply], message: Message, query: CallbackQuery | None = None
) -> None:
    """Send answers to a message, or where a button below it was pressed.

    Parameters
    ----------
    replies : sequence of Reply
        What to send, in their order.
    message : Message
        What is answered; the bot's own one where a button was pressed.
    query : CallbackQuery, optional
        The press, which has to be answered as well, or the button goes on waiting.
    """
    notices = [one.text for one in replies if isinstance(one, Notice)]
    try:
        if query is not None:
            await _acknowledge(query, notices)
        for reply in replies:
            if isinstance(reply, Album):
                await _send_album(reply, message, quoted=query is None)
            elif isinstance(reply, Text):
                await _send_text(reply, message, query)
    except Forbidden:
        _log.debug("a user has blocked the bot, or a group has removed it")


async def _acknowledge(query: CallbackQuery, notices: Sequence[str]) -> None:
    try:
        await query.answer(text=cut(notices[0], NOTICE) if notices else None)
    except BadRequest:
        _log.debug("a press of a button was too long ago to be acknowledged")


async def _send_album(album: Album, message: Message, *, quoted: bool) -> None:
    pictures = album.pictures
    quotes = quoted and message.chat.type != "private"
    captions = [cut(one.caption, CAPTION) for one in pictures]
    try:
        if len(pictures) < _FEWEST:
            await message.reply_photo(pictures[0].data, caption=captions[0], do_quote=quotes)
            return
        media = [
            InputMediaPhoto(one.data, caption=caption)
            for one, caption in zip(pictures, captions, strict=True)
        ]
        await message.reply_media_group(media, do_quote=quotes)
    except Forbidden:
        raise
    except BadRequest as error:
        # The text that follows names them all.
        _log.warning("Telegram did not take the pictures (%s)", error.message)


async def _send_text(reply: Text, message: Message, query: CallbackQuery | None) -> None:
    text = cut(reply.text, TEXT)
    rows = [
        [InlineKeyboardButton(b.text, callback_data=b.data) for b in row] for row in reply.buttons
    ]
    keyboard = InlineKeyboardMarkup(rows) if rows else None
    if reply.replaces and query is not None:
        try:
            await query.edit_message_text(
                text, reply_markup=keyboard, link_preview_options=_NO_PREVIEW
            )
        except BadRequest:
            _log.debug("a message could not be edited, and another one is sent")
        else:
            return
    in_group = message.chat.type != "private"
    # In a group, what is typed reaches a bot only as a reply to it.
    await message.reply_text(
        text,
        reply_markup=ForceReply(selective=True) if reply.asks and in_group else keyboard,
        link_preview_options=_NO_PREVIEW,
        do_quote=in_group and query is None,
    )

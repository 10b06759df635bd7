"""From an update of Telegram's to the conversation, and back."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from telegram import CallbackQuery, Message, Update
from telegram.constants import ChatAction
from telegram.error import TelegramError
from telegram.ext import Application, CallbackQueryHandler, ContextTypes, MessageHandler, filters

from penult.chat.conversation import Conversation
from penult.chat.events import ButtonPressed, PhotosSent
from penult.chat.replies import Notice
from penult.chat.telegram.albums import Albums
from penult.chat.telegram.incoming import event_of
from penult.chat.telegram.outgoing import send

__all__ = ["Handling"]

_log = logging.getLogger(__name__)

_SHOWN_AGAIN = 4.0  # seconds: Telegram takes "is typing" away after five


class Handling:
    """Answers updates.

    Parameters
    ----------
    conversation : Conversation
        Knows the answers.
    albums : Albums
        Puts albums together.
    """

    def __init__(self, conversation: Conversation, albums: Albums) -> None:
        self._conversation = conversation
        self._albums = albums

    def add_to(self, application: Application[Any, Any, Any, Any, Any, Any]) -> None:
        """Have an application hand its updates over."""
        application.add_handler(MessageHandler(filters.UpdateType.MESSAGE, self._on_message))
        application.add_handler(CallbackQueryHandler(self._on_press))
        application.add_error_handler(_on_error)

    async def _on_message(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        if update.message is None:
            return
        messages = await self._albums.complete(update.message)
        event = event_of(messages, context.bot) if messages else None
        if event is None:
            return
        message = messages[0]
        if isinstance(event, PhotosSent):
            async with _shown_at_work(message):
                replies = await self._conversation.reply(event)
        else:
            replies = await self._conversation.reply(event)
        await send(replies, message)

    async def _on_press(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        query = update.callback_query
        assert query is not None
        message = query.message
        if not isinstance(message, Message):  # Telegram itself no longer has it
            await query.answer(text="That is too long ago. Please send the photo again.")
            return
        replies = await self._conversation.reply(_press(query, message))
        await send(replies or [Notice("")], message, query)


def _press(query: CallbackQuery, message: Message) -> ButtonPressed:
    user, chat = str(query.from_user.id), str(message.chat_id)
    return ButtonPressed(user=user, chat=chat, data=query.data or "")


@asynccontextmanager
async def _shown_at_work(message: Message) -> AsyncIterator[None]:
    """Have Telegram show that the bot is at work, as long as it is."""

    async def show() -> None:
        with suppress(TelegramError):
            while True:
                await message.reply_chat_action(ChatAction.TYPING)
                await asyncio.sleep(_SHOWN_AGAIN)

    task = asyncio.create_task(show())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _on_error(update: object, context: ContextTypes.DEFAULT_TYPE) -> None:
    """Log that something went wrong, and where: texts and ids of users are no one's business."""
    error = context.error
    if isinstance(error, TelegramError):
        _log.warning("an answer was lost: Telegram could not be called (%s)", type(error).__name__)
        return
    frames = traceback.extract_tb(error.__traceback__ if error else None)
    where = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "an unknown place"
    _log.error("an answer failed: %s at %s", type(error).__name__, where)
    message = update.effective_message if isinstance(update, Update) else None
    if message is not None and message.chat.type == "private":
        with suppress(TelegramError):
            await message.reply_text("Something went wrong. Please try again later.")

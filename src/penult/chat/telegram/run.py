"""The bot connected to Telegram, until it is stopped."""

from __future__ import annotations

import asyncio
import logging
import math
import re
import secrets
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from telegram.error import BadRequest, Conflict, InvalidToken, TelegramError
from telegram.ext import Application, ApplicationBuilder
from telegram.request import BaseRequest, HTTPXRequest

from penult.chat.conversation import Conversation
from penult.chat.telegram.albums import Albums
from penult.chat.telegram.handling import Handling
from penult.chat.telegram.limits import COMMANDS
from penult.chat.telegram.patience import Patience
from penult.chat.telegram.quiet import libraries_muted
from penult.chat.telegram.refusal import PollingRequest
from penult.chat.telegram.settings import TelegramSettings
from penult.errors import ServiceError, UsageError

__all__ = ["run"]

_log = logging.getLogger(__name__)

_AT_ONCE = 64
_SAID_AGAIN = 60.0
_GRACE = 8.0  # seconds; Docker kills after ten
_UPDATES = ["message", "callback_query"]

_Application = Application[Any, Any, Any, Any, Any, Any]


async def run(
    conversation: Conversation,
    settings: TelegramSettings,
    stop: asyncio.Event,
    on_ready: Callable[[str], object] | None = None,
    *,
    first_wait: float = 0.5,
    album_wait: float = 0.8,
) -> None:
    """Answer what people send to the bot, until it is stopped.

    Parameters
    ----------
    conversation : Conversation
        Knows the answers.
    settings : TelegramSettings
        The token, and how updates come.
    stop : asyncio.Event
        Ends it: what was begun is answered, for some seconds.
    on_ready : callable, optional
        Called with the bot's name once updates come.
    first_wait : float
        Seconds before a broken call is made again for the first time.
    album_wait : float
        Seconds without a further photo after which an album is complete.

    Raises
    ------
    UsageError
        If Telegram does not know the token, or does not take the webhook's address, or the address
        to listen at is taken.
    ServiceError
        If Telegram cannot be reached.
    """
    refused = asyncio.Event()
    with libraries_muted():
        requests = (
            HTTPXRequest(connect_timeout=10, read_timeout=20, pool_timeout=30),
            PollingRequest(refused.set),
        )
        patience = Patience(refused.set, first_wait)
        application = _application(settings, patience, *requests)
        Handling(conversation, Albums(album_wait)).add_to(application)
        try:
            await application.initialize()
            await _start_updates(application, settings)
            await application.start()
            with suppress(BadRequest):  # a menu is not worth a failure
                await application.bot.set_my_commands(list(COMMANDS.items()))
            if on_ready is not None:
                on_ready(application.bot.username)
            await _first_of(stop, refused)
        except InvalidToken:
            refused.set()
        except BadRequest as error:
            raise UsageError(f"Telegram refuses this: {_told(error, settings)}") from None
        except TelegramError as error:
            # What the library has put in front, "httpx.ConnectError: ", says nothing to a reader.
            why = re.sub(r"^httpx\.\w+:\s*", "", _told(error, settings)) or "no answer"
            host = urlsplit(settings.api_url).netloc.rpartition("@")[2]
            raise ServiceError(f"Telegram cannot be reached at {host}: {why}") from None
        finally:
            await _stopped(application)
            for request in requests:  # which stay open where the bot never was connected
                await request.shutdown()
    if refused.is_set():
        raise UsageError(
            "Telegram does not know the token; it is given by @BotFather, and may have been revoked"
        )


def _application(
    settings: TelegramSettings, patience: Patience, request: BaseRequest, polling: BaseRequest
) -> _Application:
    builder: Any = (  # whose type grows with each line
        ApplicationBuilder()
        .token(settings.token)
        .base_url(f"{settings.api_url}/bot")
        .base_file_url(f"{settings.api_url}/file/bot")
        .rate_limiter(patience)
        .concurrent_updates(_AT_ONCE)
        .request(request)
        .get_updates_request(polling)
    )
    made: _Application = builder.build()
    return made


async def _start_updates(application: _Application, settings: TelegramSettings) -> None:
    updater = application.updater
    assert updater is not None
    if settings.webhook is None:
        await updater.start_polling(allowed_updates=_UPDATES, error_callback=_Complaints())
        return
    listening = _listening(*settings.address)
    try:
        await updater.start_webhook(
            unix=listening,
            url_path=settings.path,
            webhook_url=settings.webhook,
            allowed_updates=_UPDATES,
            secret_token=secrets.token_urlsafe(32),
        )
    except TelegramError:
        listening.close()
        raise


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family)
    except OSError as error:
        raise UsageError(f"cannot listen at {host}:{port}: {error.strerror or error}") from None
    listening.setblocking(False)
    return listening


async def _first_of(*events: asyncio.Event) -> None:
    waiting = [asyncio.create_task(one.wait()) for one in events]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()


async def _stopped(application: _Application) -> None:
    """Take no more updates, and answer those that were taken."""
    updater = application.updater
    with suppress(TelegramError):  # of the last call for updates, which is of no use any more
        if updater is not None and updater.running:
            await updater.stop()
    if application.running:
        try:
            await asyncio.wait_for(application.stop(), _GRACE)
        except TimeoutError:
            _log.warning("stopped, and what was still being answered is lost")
    await application.shutdown()


def _told(error: TelegramError, settings: TelegramSettings) -> str:
    return error.message.replace(settings.token, "TOKEN")


class _Complaints:
    """Says in the log why no updates come, once a minute for each reason."""

    def __init__(self) -> None:
        self._said: dict[type[TelegramError], float] = {}

    def __call__(self, error: TelegramError) -> None:
        now = time.monotonic()
        if now - self._said.get(type(error), -math.inf) > _SAID_AGAIN:
            self._said[type(error)] = now
            if isinstance(error, Conflict):
                _log.error("another program asks Telegram for updates with the same token")
            else:
                _log.warning("Telegram cannot be reached (%s); trying again", type(error).__name__)

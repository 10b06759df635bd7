"""Calls to Telegram made again: after the time it asks for, and where a connection broke."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

from telegram.error import BadRequest, InvalidToken, NetworkError, RetryAfter, TimedOut
from telegram.ext import BaseRateLimiter

__all__ = ["Patience", "patiently", "seconds_asked"]

_TRIES = 6
_FIRST = 0.5
_LONGEST = 30.0
_LONGEST_ASKED = 300.0

Call = Callable[[], Coroutine[Any, Any, Any]]


async def patiently(call: Call, *, repeatable: bool = True, first: float = _FIRST) -> Any:
    """Make a call again where Telegram asks to wait, or where the connection breaks.

    Parameters
    ----------
    call : callable
        Makes the call; its coroutine is awaited.
    repeatable : bool
        Whether a call that may have reached Telegram can be made again without harm. Others are
        made again only where the connection broke, which rarely is after Telegram has acted: a
        message that is sent twice is better than an answer that is lost.
    first : float
        Seconds before the second try; they double before each further one.

    Raises
    ------
    telegram.error.TelegramError
        What the last try failed with, or what no further try can mend.
    """
    tries = 0
    while True:
        tries += 1
        try:
            return await call()
        except RetryAfter as error:
            wait = seconds_asked(error)
            if tries >= _TRIES or wait > _LONGEST_ASKED:
                raise
        except BadRequest:  # a kind of NetworkError in this library
            raise
        except TimedOut:
            if tries >= _TRIES or not repeatable:
                raise
            wait = _growing(first, tries)
        except NetworkError:
            if tries >= _TRIES:
                raise
            wait = _growing(first, tries)
        await asyncio.sleep(wait)


def seconds_asked(error: RetryAfter) -> float:
    """Return how many seconds Telegram asks to wait for."""
    asked = error.retry_after  # a timedelta in a later version
    return asked.total_seconds() if isinstance(asked, timedelta) else float(asked)


def _growing(first: float, tries: int) -> float:
    return min(_LONGEST, first * 2.0 ** (tries - 1)) * random.uniform(0.5, 1)


class Patience(BaseRateLimiter[None]):
    """Has the library make its calls patiently, all but that for updates, which it repeats itself.

    Parameters
    ----------
    on_refused : callable
        Called where Telegram does not know the token any more.
    first : float
        Seconds before the second try after a broken connection.
    """

    def __init__(self, on_refused: Callable[[], None], first: float = _FIRST) -> None:
        self._on_refused = on_refused
        self._first = first

    async def initialize(self) -> None:
        """Do nothing: there is nothing to prepare."""

    async def shutdown(self) -> None:
        """Do nothing: there is nothing to end."""

    async def process_request(
        self,
        callback: Callable[..., Coroutine[Any, Any, Any]],
        args: Any,
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: None,
    ) -> Any:
        """Make a call, patiently."""
        repeatable = not endpoint.startswith("send")
        try:
            return await patiently(
                lambda: callback(*args, **kwargs), repeatable=repeatable, first=self._first
            )
        except InvalidToken:
            self._on_refused()
            raise

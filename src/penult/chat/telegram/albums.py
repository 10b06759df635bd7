"""Photos that were sent as an album, which Telegram delivers one by one."""

from __future__ import annotations

import asyncio

from telegram import Message

__all__ = ["Albums"]


class Albums:
    """Puts the messages of an album together again.

    Parameters
    ----------
    wait : float
        Seconds without a further message after which an album is complete.
    """

    def __init__(self, wait: float = 0.8) -> None:
        self._wait = wait
        self._open: dict[tuple[int, str], list[Message]] = {}

    async def complete(self, message: Message) -> list[Message]:
        """Return the messages of an album where this is its first one to come.

        Parameters
        ----------
        message : Message
            Any message.

        Returns
        -------
        list of Message
            The message alone where it is of no album. Empty for the others of an album: who
            brought the first one gets them all, once no more are coming.
        """
        if message.media_group_id is None:
            return [message]
        key = (message.chat_id, message.media_group_id)
        if key in self._open:
            self._open[key].append(message)
            return []
        messages = self._open[key] = [message]
        seen = 0
        while len(messages) > seen:
            seen = len(messages)
            await asyncio.sleep(self._wait)
        del self._open[key]
        return sorted(messages, key=lambda one: one.message_id)

"""Someone who talks to a bot without any messenger."""

from __future__ import annotations

import asyncio

from penult.chat.conversation import Conversation
from penult.chat.events import (
    ButtonPressed,
    CommandSent,
    OtherSent,
    PhotosSent,
    SentPhoto,
    WordsSent,
)
from penult.chat.messenger import Messenger
from penult.chat.replies import Album, Notice, Text

MESSENGER = Messenger(name="Pigeon", max_bytes=1_000, max_pictures=10, sending_a_file="in a tube")


class Talk:
    """Sends things as a user, and keeps what is answered last."""

    def __init__(self, service, options=None, clock=lambda: 0.0):
        self.conversation = Conversation(service, MESSENGER, options, clock)
        self.replies = []

    def _send(self, kind, user, **what):
        event = kind(user=user, chat="a chat", **what)
        self.replies = asyncio.run(self.conversation.reply(event))
        return self

    def photos(self, *data, user="ann", as_file=True, size=None):
        sent = [SentPhoto(read=_reads(one), as_file=as_file, size=size) for one in data]
        return self._send(PhotosSent, user, photos=tuple(sent))

    def command(self, name, user="ann"):
        return self._send(CommandSent, user, name=name)

    def words(self, words, user="ann"):
        return self._send(WordsSent, user, words=words)

    def other(self, what, user="ann"):
        return self._send(OtherSent, user, what=what)

    def press(self, text, user="ann"):
        """Press the button with this on it, of those that were answered last."""
        (data,) = [one.data for one in self.buttons if one.text == text]
        return self.press_data(data, user)

    def press_data(self, data, user="ann"):
        return self._send(ButtonPressed, user, data=data)

    @property
    def text(self):
        return "\n".join(one.text for one in self.replies if isinstance(one, Text))

    @property
    def notice(self):
        return "\n".join(one.text for one in self.replies if isinstance(one, Notice))

    @property
    def captions(self):
        albums = [one for one in self.replies if isinstance(one, Album)]
        return [picture.caption for one in albums for picture in one.pictures]

    @property
    def buttons(self):
        texts = [one for one in self.replies if isinstance(one, Text)]
        return [button for one in texts for row in one.buttons for button in row]

    @property
    def on_buttons(self):
        return [one.text for one in self.buttons]


def _reads(data):
    async def read():
        if isinstance(data, Exception):
            raise data
        return data

    return read

"""The bot and the service together, in this process: neither is a stand-in."""

from __future__ import annotations

import asyncio
from importlib.util import find_spec

import pytest
from serving_client import photo
from talking import MESSENGER

import penult
from penult.chat.conversation import Conversation
from penult.chat.events import PhotosSent, SentPhoto
from penult.chat.replies import Text
from penult.serving.app import create_app

pytestmark = [
    pytest.mark.light,
    pytest.mark.skipif(find_spec("httpx") is None, reason="needs the extra client"),
]


def answered(service, *photos):
    """The texts that a bot answers photos with, each sent by itself as a file."""
    import httpx

    async def talk():
        transport = httpx.ASGITransport(create_app(service))
        async with penult.AsyncClient("http://127.0.0.1", transport=transport) as client:
            conversation = Conversation(client, MESSENGER)
            return [
                "\n".join(
                    one.text
                    for one in await conversation.reply(sent(data))
                    if isinstance(one, Text)
                )
                for data in photos
            ]

    return asyncio.run(talk())


def sent(data):
    async def read():
        return data

    return PhotosSent(user="ann", chat="a chat", photos=(SentPhoto(read=read, as_file=True),))


def test_a_photo_of_the_gallery_is_recognised_and_what_is_none_is_refused(serve, gallery):
    of_the_gallery = (gallery.parent / "images" / "rose" / "1.png").read_bytes()
    rose, new, refused = answered(
        serve(gallery=gallery), of_the_gallery, photo((171, 21, 41)), b"no photo"
    )
    assert "The gallery has this very file: rose/1.png" in rose
    assert "1. rose, similarity 1.000" in rose
    assert "very file" not in new
    assert "of the nearest pictures" in new  # which vote where there is no classifier
    assert refused.startswith("I cannot use that: ")


def test_a_classifier_alone_says_classes(serve, classifier):
    (said,) = answered(serve(classifier=classifier), photo((170, 20, 40)))
    assert said.split(",")[0] in ("daisy", "rose", "tulip")
    assert "Nearest" not in said

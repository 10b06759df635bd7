"""The bot in Telegram, against a server of this machine that speaks the Bot API."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress
from importlib.util import find_spec

import pytest
from flower_service import IN_THE_GALLERY, FlowerService
from telegram_stand_in import ALONE, ANN, BOT, GROUP, TOKEN, TelegramStandIn

from penult.chat.conversation import Conversation
from penult.chat.options import ChatOptions
from penult.chat.telegram.limits import TELEGRAM
from penult.chat.telegram.settings import TelegramSettings
from penult.errors import ServiceError, UsageError

pytestmark = [
    pytest.mark.light,
    pytest.mark.skipif(find_spec("telegram") is None, reason="needs the extra bot"),
]


@pytest.fixture
def telegram():
    with TelegramStandIn() as stand_in:
        yield stand_in


@pytest.fixture
def service():
    return FlowerService()


@contextmanager
def running(telegram, service, options=None, **settings):
    """A bot that answers until the block ends; what it ends with is raised."""
    from penult.chat.telegram.run import run

    settings = TelegramSettings(**{"token": TOKEN, "api_url": telegram.url} | settings)
    ready, ended = threading.Event(), []
    stop, loops = asyncio.Event(), []

    async def talk():
        loops.append(asyncio.get_running_loop())
        conversation = Conversation(service, TELEGRAM, options or ChatOptions(per_minute=1_000))
        waits = {"first_wait": 0.01, "album_wait": 0.1}
        await run(conversation, settings, stop, lambda name: ready.set(), **waits)

    def work():
        try:
            asyncio.run(talk())
        except Exception as error:
            ended.append(error)
        finally:
            ready.set()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        assert ready.wait(20)
        yield thread
    finally:
        with suppress(RuntimeError):  # it has ended by itself
            loops[0].call_soon_threadsafe(stop.set)
        thread.join(20)
        assert not thread.is_alive()
    if ended:
        raise ended[0]


def test_a_photo_is_answered_with_an_album_and_below_it_the_class(telegram, service):
    with running(telegram, service):
        telegram.photo(b"new")
        text = telegram.wait("sendMessage")["text"]
    assert [one for one in telegram.names if one != "setMyCommands"] == [
        "getMe",
        "deleteWebhook",
        "getFile",
        "sendMediaGroup",
        "sendMessage",
    ]
    assert text.startswith(
        "daisy, 75.0%\nOr: rose 25.0%\n\nNearest pictures:\n1. daisy, similarity 0.990"
    )
    assert "Telegram has compressed your photo. Send it as a file (paper clip, then File)" in text
    ((_, given, files),) = [one for one in telegram.calls if one[0] == "sendMediaGroup"]
    media = json.loads(given["media"])
    assert [one["caption"] for one in media][:2] == [
        "1. daisy, similarity 0.990",
        "2. daisy, similarity 0.980",
    ]
    assert files[media[2]["media"].removeprefix("attach://")] == b"thumbnail of rose/2.jpg"


def test_the_largest_size_of_a_compressed_photo_is_fetched_and_a_file_as_it_is(telegram, service):
    seen = []
    classify = service.classify
    service.classify = lambda photo, top: (seen.append(photo), classify(photo, top))[1]
    with running(telegram, service):
        telegram.photo(b"the large one")
        telegram.wait("sendMessage")
        telegram.document(IN_THE_GALLERY)
        answered = telegram.wait("sendMessage", 2)
    assert seen == [b"the large one", IN_THE_GALLERY]
    assert "The gallery has this very file: daisy/0.jpg" in answered["text"]


def test_one_picture_is_no_album(telegram, service):
    with running(telegram, service, ChatOptions(k=1)):
        telegram.photo(b"new")
        assert telegram.wait("sendPhoto")["caption"] == "1. daisy, similarity 0.990"


def test_buttons_show_more_and_change_a_label(telegram, service):
    with running(telegram, service):
        telegram.document(IN_THE_GALLERY)
        telegram.wait("sendMessage")
        telegram.press("More pictures")
        assert "7. tulip" in telegram.wait("sendMessage", 2)["text"]
        telegram.press("Wrong?")
        assert (
            telegram.wait("sendMessage", 3)["text"] == "daisy/0.jpg is labelled daisy. What is it?"
        )
        telegram.press("Another class")
        assert telegram.wait("sendMessage", 4)["text"] == "Type its class, please."
        telegram.message(text="rose")
        assert telegram.wait("sendMessage", 5)["text"].startswith("Noted: daisy/0.jpg was daisy")
        telegram.press("Undo")
        assert telegram.wait("editMessageText")["text"] == "Undone: daisy/0.jpg is daisy."
    assert len(telegram.of("answerCallbackQuery")) == 4
    assert {one.who for one in service.log} == {"telegram:1"}


def test_an_album_is_answered_at_once(telegram, service):
    with running(telegram, service):
        for data in (b"new", b"no photo", b"a shoe"):
            telegram.photo(data, media_group_id="9")
        text = telegram.wait("sendMessage")["text"]
    assert text.splitlines()[:3] == [
        "1. daisy, 75.0%",
        "2. I cannot use that: the bytes are no image that penult can read.",
        "3. daisy, 75.0%",
    ]
    assert telegram.names.count("sendMessage") == 1


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"text": "/start"}, "Send me a photo, and I say what is on it and show"),
        ({"text": "/help@flower_bot"}, "Send me a photo, and I say what is on it and show"),
        ({"text": "/dance"}, "I do not know /dance."),
        ({"text": "hello"}, "Please send me a photo."),
        (
            {
                "sticker": {
                    "file_id": "s",
                    "file_unique_id": "s",
                    "type": "regular",
                    "width": 1,
                    "height": 1,
                    "is_animated": False,
                    "is_video": False,
                }
            },
            "That is a sticker",
        ),
        (
            {
                "video": {
                    "file_id": "v",
                    "file_unique_id": "v",
                    "width": 1,
                    "height": 1,
                    "duration": 1,
                }
            },
            "That is a video",
        ),
        (
            {"document": {"file_id": "d", "file_unique_id": "d", "mime_type": "application/pdf"}},
            "That is a PDF",
        ),
        (
            {"document": {"file_id": "d", "file_unique_id": "d", "mime_type": "application/zip"}},
            "That is a zip archive",
        ),
        (
            {
                "document": {
                    "file_id": "d",
                    "file_unique_id": "d",
                    "mime_type": "image/tiff",
                    "file_size": 34_000_000,
                }
            },
            "Telegram hands files of up to 20 MB to bots, and this one has 34.0 MB.",
        ),
        ({"text": "/find"}, "That is no photo that you replied to"),
    ],
)
def test_what_is_no_photo_is_answered_kindly_and_never_fetched(telegram, service, fields, said):
    with running(telegram, service):
        telegram.message(**fields)
        assert telegram.wait("sendMessage")["text"].startswith(said)
    assert "getFile" not in telegram.names


def photo_of(stand_in, data):
    """A photo for a message that is replied to."""
    return {
        "message_id": 50,
        "date": 1,
        "chat": GROUP,
        "from": ANN,
        "photo": [{"width": 9, "height": 9, **stand_in._file(data)}],
    }


def test_in_a_group_only_what_is_meant_for_the_bot_is_answered(telegram, service):
    of_the_bot = {"message_id": 51, "date": 1, "chat": GROUP, "from": BOT, "text": "earlier"}
    in_group = {"chat": GROUP}
    with running(telegram, service):
        telegram.photo(b"not for the bot", **in_group)
        telegram.photo(b"for another bot", caption="/find@other_bot", **in_group)
        telegram.photo(b"of a command that is not ours", caption="/play", **in_group)
        telegram.message(text="talk among people", **in_group)
        telegram.message(text="/play", **in_group)
        telegram.message(new_chat_title="Weeds", **in_group)
        telegram.message(text="@flower_bot hello", sender=BOT, **in_group)
        telegram.photo(b"mentioned", caption="what is it, @Flower_Bot", **in_group)
        telegram.wait("sendMessage", 1)
        telegram.photo(b"a caption", caption="/find", **in_group)
        telegram.wait("sendMessage", 2)
        telegram.photo(b"a reply", reply_to_message=of_the_bot, **in_group)
        telegram.wait("sendMessage", 3)
        telegram.message(text="/find", reply_to_message=photo_of(telegram, b"a photo"), **in_group)
        telegram.wait("sendMessage", 4)
        asked = telegram.message(
            text="@flower_bot", reply_to_message=photo_of(telegram, b"a photo"), **in_group
        )
        last = telegram.wait("sendMessage", 5)
    assert json.loads(last["reply_parameters"])["message_id"] == asked["message_id"]
    assert [one["text"][:12] for one in telegram.of("sendMessage")] == ["daisy, 75.0%"] * 5
    assert len(telegram.of("getFile")) == 5


def test_what_is_typed_in_a_group_reaches_the_bot_as_a_reply(telegram, service):
    with running(telegram, service):
        telegram.document(IN_THE_GALLERY, caption="/find", chat=GROUP)
        telegram.wait("sendMessage")
        telegram.press("Wrong?")
        telegram.wait("sendMessage", 2)
        telegram.press("Another class")
        asked = json.loads(telegram.wait("sendMessage", 3)["reply_markup"])
        question = {
            "message_id": 52,
            "date": 1,
            "chat": GROUP,
            "from": BOT,
            "text": "Type its class",
        }
        telegram.message(text="rose", chat=GROUP, reply_to_message=question)
        assert telegram.wait("sendMessage", 4)["text"].startswith("Noted: daisy/0.jpg was daisy")
    assert asked["force_reply"] is True


@pytest.mark.parametrize(
    "method",
    [
        "getMe",
        "deleteWebhook",
        "getUpdates",
        "getFile",
        "download",
        "sendMediaGroup",
        "sendMessage",
    ],
)
def test_broken_connections_are_made_again(telegram, service, method):
    telegram.faults[method] = ["broken", "broken"]
    with running(telegram, service):
        telegram.photo(b"new")
        assert telegram.wait("sendMessage", 3 if method == "sendMessage" else 1)["text"].startswith(
            "daisy"
        )
    assert not telegram.faults[method]
    assert not service.trouble


def test_telegram_is_called_again_after_the_time_that_it_asks_for(telegram, service, monkeypatch):
    waited, sleep = [], asyncio.sleep

    async def at_once(seconds, *result):
        waited.append(seconds)
        return await sleep(min(seconds, 0.05), *result)

    monkeypatch.setattr("penult.chat.telegram.patience.asyncio.sleep", at_once)
    telegram.faults = {"sendMediaGroup": [17], "sendMessage": [(502, "Bad Gateway"), 23]}
    with running(telegram, service):
        telegram.photo(b"new")
        telegram.wait("sendMessage", 3)
    assert {17.0, 23.0} < set(waited)


def test_a_call_that_telegram_asks_an_hour_for_is_given_up(telegram, service, caplog):
    telegram.faults = {"sendMessage": [3600]}
    with running(telegram, service):
        telegram.message(text="/help")
        telegram.wait("sendMessage")
        telegram.message(text="hello")
        telegram.wait("sendMessage", 2)
    assert "an answer was lost: Telegram could not be called (RetryAfter)" in caplog.text


def test_pictures_that_telegram_does_not_take_are_listed_anyway(telegram, service):
    telegram.faults = {"sendMediaGroup": [(400, "Bad Request: IMAGE_PROCESS_FAILED")]}
    with running(telegram, service):
        telegram.photo(b"new")
        assert "1. daisy" in telegram.wait("sendMessage")["text"]
    assert telegram.names.count("sendMediaGroup") == 1


def test_who_has_blocked_the_bot_is_left_alone(telegram, service, caplog):
    telegram.faults = {"sendMediaGroup": [(403, "Forbidden: bot was blocked by the user")]}
    with running(telegram, service):
        telegram.photo(b"new")
        telegram.wait("sendMediaGroup")
        telegram.message(text="/help", sender={**ANN, "id": 2}, chat={**ALONE, "id": 2})
        telegram.wait("sendMessage")
    assert telegram.names.count("sendMessage") == 1
    assert not caplog.records


def test_a_file_that_telegram_does_not_hand_over_is_said(telegram, service):
    telegram.faults = {"getFile": [(400, "Bad Request: file is too big")]}
    with running(telegram, service):
        telegram.photo(b"new")
        said = telegram.wait("sendMessage")["text"]
    assert said == "I could not fetch that from Telegram. Please send it again."


def test_a_path_of_telegrams_that_is_a_file_here_is_not_read(
    telegram, service, tmp_path, monkeypatch
):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "file1").write_bytes(b"no photo")  # file0 is the small size
    monkeypatch.chdir(tmp_path)
    with running(telegram, service):
        telegram.photo(b"new")
        assert telegram.wait("sendMessage")["text"].startswith("daisy, 75.0%")


def test_a_service_that_is_away_is_said_and_the_bot_goes_on(telegram, service):
    service.trouble = {"classify": ServiceError("no service")}
    with running(telegram, service):
        telegram.photo(b"new")
        assert telegram.wait("sendMessage")["text"].startswith("I cannot reach the service")
        service.trouble = {}
        telegram.photo(b"new")
        assert telegram.wait("sendMessage", 2)["text"].startswith("daisy")


def test_an_error_of_ours_is_logged_without_what_was_sent(telegram, service, caplog):
    service.trouble = {"classify": KeyError("a secret of Ann's")}
    with running(telegram, service):
        telegram.photo(b"new")
        said = telegram.wait("sendMessage")["text"]
    assert said == "Something went wrong. Please try again later."
    assert "an answer failed: KeyError at " in caplog.text
    assert "Ann" not in caplog.text


def test_the_token_is_in_no_log_and_no_error(telegram, service, caplog):
    caplog.set_level(logging.DEBUG)
    for name in ("httpx", "httpcore", "telegram", "telegram.ext"):
        caplog.set_level(logging.DEBUG, logger=name)
    telegram.faults = {
        name: ["broken"] for name in ("getMe", "getUpdates", "download", "sendMessage")
    }
    with running(telegram, service):
        telegram.photo(b"new")
        telegram.wait("sendMessage", 2)
    telegram.faults = {"getMe": [(500, f"no answer of /bot{TOKEN}/getMe")] * 20}
    with (
        pytest.raises(ServiceError, match=r"Telegram cannot be reached at 127\.0\.0\.1:") as told,
        running(telegram, service),
    ):
        pass
    secret = TOKEN.partition(":")[2]
    assert secret not in caplog.text
    assert secret not in str(told.value)
    assert told.value.__cause__ is None
    assert secret not in repr(TelegramSettings(token=TOKEN))


def test_a_token_that_is_none_is_said_at_once(telegram, service):
    with (
        pytest.raises(UsageError, match="Telegram does not know the token"),
        running(telegram, service, token="1:wrong"),
    ):
        pass


@pytest.mark.parametrize("method", ["getUpdates", "sendMessage"])
def test_a_token_that_is_revoked_ends_the_bot(telegram, service, method):
    def revoke():
        with running(telegram, service) as thread:
            telegram.faults = {method: [(401, "Unauthorized")] * 9}
            telegram.message(text="/help")
            thread.join(20)
            assert not thread.is_alive()

    with pytest.raises(UsageError, match="may have been revoked"):
        revoke()


def test_an_address_that_telegram_does_not_take_is_said(telegram, service, free_port):
    telegram.faults = {
        "setWebhook": [(400, "Bad Request: bad webhook: an HTTPS URL must be provided")]
    }
    address = {"webhook": "http://bot.test/", "listen": f"127.0.0.1:{free_port}"}
    refused = running(telegram, service, **address)
    with pytest.raises(UsageError, match="Telegram refuses this: Bad webhook"), refused:
        pass


def test_two_bots_with_one_token_are_named_once(telegram, service, caplog):
    telegram.faults = {"getUpdates": [(409, "Conflict: terminated by other getUpdates request")]}
    with running(telegram, service):
        telegram.message(text="/help")
        telegram.wait("sendMessage")
    assert caplog.messages == ["another program asks Telegram for updates with the same token"]


def test_what_was_begun_is_answered_when_the_bot_is_stopped(telegram, service):
    begun, go_on = threading.Event(), threading.Event()
    classify = service.classify

    async def slow(photo, top):
        begun.set()
        while not go_on.is_set():
            await asyncio.sleep(0.01)
        return await classify(photo, top)

    service.classify = slow
    timer = threading.Timer(0.3, go_on.set)
    with running(telegram, service):
        telegram.photo(b"new")
        assert begun.wait(20)
        timer.start()
    assert telegram.names[-1] == "sendMessage"


def test_what_takes_too_long_is_lost_and_said(telegram, service, monkeypatch, caplog):
    begun = threading.Event()

    async def never(photo, top):
        begun.set()
        await asyncio.Event().wait()

    service.classify = never
    monkeypatch.setattr("penult.chat.telegram.run._GRACE", 0.2)
    with running(telegram, service):
        telegram.photo(b"new")
        assert begun.wait(20)
    assert caplog.messages == ["stopped, and what was still being answered is lost"]


def test_updates_also_come_by_webhook_and_only_with_its_secret(telegram, service, free_port):
    webhook, listen = "https://bot.test/updates", f"127.0.0.1:{free_port}"
    here = f"http://{listen}/updates"

    def post(update, secret):
        headers = {"content-type": "application/json", "x-telegram-bot-api-secret-token": secret}
        request = urllib.request.Request(here, json.dumps(update).encode(), headers)
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status

    with running(telegram, service, webhook=webhook, listen=listen):
        given = telegram.wait("setWebhook")
        telegram.message(text="/help")
        (update,) = telegram.updates
        with pytest.raises(urllib.error.HTTPError, match="403"):
            post(update, "a guess")
        assert not telegram.of("sendMessage")
        assert post(update, given["secret_token"]) == 200
        telegram.wait("sendMessage")
    assert given["url"] == webhook
    assert json.loads(given["allowed_updates"]) == ["message", "callback_query"]
    assert len(given["secret_token"]) >= 32
    assert "getUpdates" not in [name for name, _, _ in telegram.calls]


def test_a_port_that_is_taken_is_said(telegram, service, free_port):
    import socket

    with socket.create_server(("127.0.0.1", free_port)):
        taken = running(
            telegram, service, webhook="https://bot.test/", listen=f"127.0.0.1:{free_port}"
        )
        with pytest.raises(UsageError, match=f"cannot listen at 127.0.0.1:{free_port}"), taken:
            pass


@pytest.fixture
def free_port():
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]

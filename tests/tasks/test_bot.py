"""`penult bot`, started, and what it refuses before it talks to anybody."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from importlib.util import find_spec

import pytest
from telegram_stand_in import TOKEN, TelegramStandIn

import penult

pytestmark = [
    pytest.mark.light,
    pytest.mark.skipif(find_spec("telegram") is None, reason="needs the extra bot"),
]


@pytest.fixture
def token(monkeypatch):
    monkeypatch.setenv("BOT_TOKEN", TOKEN)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"telegram": False}, "which messenger? give telegram=True"),
        ({"k": 11}, "k=11; give 1 to 10"),
        ({"per_minute": 0}, "per_minute=0; give 1 to 100,000"),
        ({"allow": ["@ann"]}, "'@ann' is no number of a user of Telegram"),
        ({"api_url": "api.telegram.org"}, "'api.telegram.org' is no address of a Bot API"),
        ({"webhook": "http://bot.test/"}, "'http://bot.test/': Telegram calls an https address"),
        ({"webhook": "https://bot.test/", "listen": "8443"}, "'8443' is no HOST:PORT"),
        ({"webhook": "https://bot.test/", "listen": "127.0.0.1:99999"}, "is no HOST:PORT"),
        ({"listen": "127.0.0.1:8443"}, "listen is for webhook=URL"),
        (
            {"service": "127.0.0.1:8731"},
            "'127.0.0.1:8731' is no address of a service; for example service='http://127",
        ),
        ({"token_env": "OTHER_TOKEN"}, "the variable OTHER_TOKEN of the environment is not set"),
        ({"token_file": "missing.txt"}, "missing.txt"),
        ({"service_token_file": "missing.txt"}, "missing.txt"),
    ],
)
def test_what_cannot_be_right_is_said_in_a_line(token, monkeypatch, options, said):
    monkeypatch.delenv("OTHER_TOKEN", raising=False)
    with pytest.raises(penult.UsageError) as refused:
        penult.bot(**{"telegram": True} | options)
    assert said in str(refused.value)
    assert TOKEN not in str(refused.value)


@pytest.mark.parametrize("content", [b"", b"my token", b"12:a/../b", b"\xff\xfe", b"1:a" * 5_000])
def test_a_file_without_a_token_is_refused_and_not_shown(tmp_path, content):
    (tmp_path / "token.txt").write_bytes(content)
    with pytest.raises(penult.UsageError, match=r"token\.txt") as refused:
        penult.bot(telegram=True, token_file=tmp_path / "token.txt")
    assert "12:a" not in str(refused.value)


def test_sigterm_ends_the_bot_in_order_and_the_token_is_never_shown(tmp_path):
    (tmp_path / "token.txt").write_text(f"{TOKEN}\n")
    with TelegramStandIn() as telegram:
        command = [sys.executable, "-m", "penult", "bot", "--telegram", "--api-url", telegram.url]
        command += ["--token-file", str(tmp_path / "token.txt"), "--service", "http://127.0.0.1:9"]
        bot = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            telegram.wait("getUpdates")
            telegram.message(text="/start")
            telegram.wait("sendMessage")
            bot.send_signal(signal.SIGTERM)
            out, err = bot.communicate(timeout=30)
        finally:
            bot.kill()
            bot.wait()
    assert bot.returncode == 0
    assert out == ""
    assert "penult: @flower_bot answers\n" in err
    assert TOKEN.partition(":")[2] not in err
    assert "Traceback" not in err


def test_a_bot_whose_token_is_refused_says_so_and_ends(tmp_path):
    with TelegramStandIn() as telegram:
        command = [sys.executable, "-m", "penult", "bot", "--telegram", "--api-url", telegram.url]
        environment = os.environ | {"BOT_TOKEN": "1:of-another-bot"}
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
    assert done.returncode == 2
    assert "Telegram does not know the token" in done.stderr
    assert "of-another-bot" not in done.stderr

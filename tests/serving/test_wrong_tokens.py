"""Tokens that are guessed: a few in a minute, of each address."""

from __future__ import annotations

import pytest
from serving_client import Client, refused

from penult.serving import access, wrong_tokens
from penult.serving.access import access_rules
from penult.serving.app import create_app
from penult.serving.wrong_tokens import MOST, WrongTokens

pytestmark = pytest.mark.light

TOKEN = "0123456789abcdef"


def test_ten_in_a_minute_are_too_many_and_a_minute_after_the_first_there_is_another():
    now = 0
    wrong = WrongTokens(lambda: now)
    for now in range(MOST):  # noqa: B007 - the clock reads it
        assert wrong.seconds("192.0.2.1") == 0
        wrong.note("192.0.2.1")
    assert wrong.seconds("192.0.2.1") == 51
    assert wrong.seconds("192.0.2.2") == 0
    now = 60
    assert wrong.seconds("192.0.2.1") == 0
    wrong.note("192.0.2.1")
    assert wrong.seconds("192.0.2.1") == 1


def test_a_site_of_ipv6_is_one_address_and_this_machine_is_none():
    wrong = WrongTokens(lambda: 0)
    for k in range(MOST):
        for address in (f"2001:db8::{k}", f"127.0.0.{k}", "::1", "::ffff:127.0.0.1", "no", None):
            wrong.note(address)
    assert wrong.seconds("2001:db8::ffff") == 60
    assert wrong.seconds("2001:db8:0:1::1") == 0
    for address in ("127.0.0.1", "::1", "::ffff:127.0.0.1", "no", None):
        assert wrong.seconds(address) == 0


def test_from_then_on_no_token_is_looked_at(serve, gallery, monkeypatch):
    app = create_app(serve(gallery=gallery, access=access_rules("0.0.0.0", token=TOKEN)))
    client, other = Client(app, "192.0.2.1"), Client(app, "192.0.2.2")
    for k in range(MOST - 1):
        asked = client.get("/v1/gallery", headers={"Authorization": f"Bearer {k}"})
        refused(asked, 401, "the token is wrong")
    refused(client.post("/v1/session", json={"token": "wrong"}), 401, "the token is wrong")
    right = {"Authorization": f"Bearer {TOKEN}"}
    assert other.get("/v1/gallery", headers=right).status_code == 200
    opened = other.post("/v1/session", json={"token": TOKEN}).headers["set-cookie"]
    monkeypatch.setattr(access, "_same", lambda *_: pytest.fail("a token was looked at"))
    for asked in (
        client.get("/v1/gallery", headers=right),
        client.post("/v1/session", json={"token": TOKEN}),
    ):
        refused(asked, 429, "too many wrong tokens came from this address; try again in")
        assert 50 < int(asked.headers["retry-after"]) <= 60
    assert client.get("/healthz").status_code == 200
    monkeypatch.undo()
    kept = {"Cookie": opened.partition(";")[0]}  # of a browser that was let in before
    assert client.get("/v1/gallery", headers=kept).status_code == 200


def test_of_very_many_addresses_the_one_that_came_first_is_forgotten(monkeypatch):
    monkeypatch.setattr(wrong_tokens, "_MOST_ADDRESSES", 2)
    wrong = WrongTokens(lambda: 0)
    for address in ["192.0.2.1"] * MOST + ["192.0.2.2"] * MOST:
        wrong.note(address)
    assert wrong.seconds("192.0.2.1") == wrong.seconds("192.0.2.2") == 60
    wrong.note("192.0.2.3")
    assert wrong.seconds("192.0.2.1") == 0
    assert wrong.seconds("192.0.2.2") == 60

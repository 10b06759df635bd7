"""A line for each request, where that is wanted."""

from __future__ import annotations

import logging
import re

import pytest
from serving_client import Client

from penult.serving.access import access_rules
from penult.serving.app import create_app
from penult.serving.middleware import access_log

pytestmark = pytest.mark.light

TOKEN = "0123456789abcdef"


def test_it_says_what_was_asked_and_answered_and_no_secret(serve, gallery, caplog):
    rules = access_rules("0.0.0.0", token=TOKEN)
    client = Client(create_app(serve(gallery=gallery, access=rules, access_log=True)), "192.0.2.1")
    with caplog.at_level(logging.INFO, access_log.__name__):
        client.get(f"/v1/gallery?token={TOKEN}", headers={"Authorization": f"Bearer {TOKEN}"})
        client.post("/v1/session", json={"token": TOKEN})
        client.get("/v1/images/a%0Ab")
    said = [re.sub(r"^\S+Z (.*) \d+ ms$", r"\1", one.getMessage()) for one in caplog.records]
    assert said[:2] == ["192.0.2.1 GET /v1/gallery 200", "192.0.2.1 POST /v1/session 200"]
    assert said[2].startswith("192.0.2.1 GET /v1/images/a")
    assert "\n" not in said[2]
    assert TOKEN not in caplog.text


def test_without_it_nothing_is_logged(client, caplog):
    with caplog.at_level(logging.INFO, access_log.__name__):
        client.get("/v1/gallery")
    assert not [one for one in caplog.records if one.name == access_log.__name__]

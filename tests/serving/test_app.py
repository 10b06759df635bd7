"""The app as a whole."""

from __future__ import annotations

import pydantic
import pytest
from serving_client import Client

from penult.serving.app import create_app

pytestmark = pytest.mark.light


def test_all_routes_are_made_before_the_first_request(service, monkeypatch):
    app = create_app(service)

    def late(*_args, **_options):
        raise AssertionError("a route was made while requests are answered")

    monkeypatch.setattr(pydantic.TypeAdapter, "__init__", late)
    client = Client(app)
    paths = ("/healthz", "/v1/gallery/rows", "/v1/labels", "/v1/none")
    assert [client.get(one).status_code for one in paths] == [200, 200, 200, 404]
    assert client.post("/v1/search", params={"id": "rose/0.png"}).status_code == 200
    assert client.post("/v1/search", params={"ID": "rose/0.png"}).status_code == 422

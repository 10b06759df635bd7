"""The files of the page, and what it asks the service for that nobody else does."""

import base64
import re

import numpy as np
import pytest
from html_pages import Page
from serving_client import Client, photo

import penult
from penult.serving.app import create_app
from penult.serving.labels.log import LabelLog
from penult.serving.page.files import page_files

pytestmark = pytest.mark.light

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "connect-src": "'self'",
    "img-src": "'self' blob: data:",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}


def test_the_page_may_run_nothing_but_its_own_files(client):
    answer = client.get("/")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert dict(one.strip().split(" ", 1) for one in policy.split(";")) == POLICY
    page = Page(answer.text)
    assert page.inside == {"script": [], "style": []}
    assert [
        (tag, name)
        for tag, attributes in page.elements
        for name in attributes
        if name == "style" or name.startswith("on")
    ] == []


@pytest.mark.parametrize("name", sorted(page_files()))
def test_a_file_asks_for_files_that_there_are_and_for_nothing_from_elsewhere(name):
    text = page_files()[name].content.decode()
    asked = re.findall(r'from "\./([^"]+)"|(?:href|src)="static/([^"]+)"', text)
    assert {one or other for one, other in asked} <= set(page_files())
    assert re.findall(r"(?:https?:)?//[\w.-]+\.\w{2,}/\S*", text) == []
    assert "{%" not in text
    assert "{{" not in text


def test_a_file_that_has_not_changed_is_not_sent_again(client):
    first = client.get("/static/page.js")
    assert first.headers["content-type"] == "text/javascript; charset=utf-8"
    assert first.headers["cache-control"] == "no-cache"
    again = client.get("/static/page.js", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = client.get("/static/page.css", headers={"If-None-Match": first.headers["etag"]})
    assert other.status_code == 200


@pytest.mark.parametrize("name", ["page.py", "..%2Fpage.py", ""])
def test_no_other_file_is_sent(client, name):
    answer = client.get(f"/static/{name}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_page_learns_what_is_served(serve, gallery):
    alone = Client(create_app(serve(gallery=gallery, max_bytes=1000)))
    assert alone.get("/v1/service").json() == {
        "classifier": None,
        "classifies": True,
        "gallery": "gallery.h5",
        "label_log": False,
        "max_bytes": 1000,
        "max_parts": 32,
        "title": None,
    }


def test_it_says_whether_classes_are_named_by_what_names_them(serve, classifier, toy, tmp_path):
    (tmp_path / "flat").mkdir()
    (tmp_path / "flat/a.png").write_bytes(photo((9, 9, 9)))
    bare = tmp_path / "bare.h5"
    penult.extract(tmp_path / "flat", bare, model=toy, progress=False)
    with LabelLog(tmp_path / "log.jsonl") as log:
        alone = Client(create_app(serve(gallery=bare, label_log=log)))
        assert alone.put("/v1/labels/a.png", json={"label": "rose"}).status_code == 200
        assert alone.get("/v1/gallery").json()["labels"] == [{"label": "rose", "images": 1}]
        assert alone.get("/v1/service").json()["classifies"] is False
        assert alone.post("/v1/classify", content=photo((9, 9, 9))).status_code == 404
    both = Client(create_app(serve(gallery=bare, classifier=classifier)))
    assert both.get("/v1/service").json()["classifies"] is True


def test_the_map_comes_as_the_canvas_takes_it(service, client):
    assert client.get("/v1/map/page").status_code in (200, 503)  # begun, at the latest
    collection = service.served.gallery.collection
    assert collection.places.wait(60)
    data = client.get("/v1/map/page").json()
    plain = client.get("/v1/map").json()
    assert data["ids"] == plain["ids"]
    xy = np.frombuffer(base64.b64decode(data["xy"]["base64"]), "<f4").reshape(-1, 2)
    np.testing.assert_allclose(xy.T, [plain["x"], plain["y"]], atol=1e-3)
    label = data["columns"][0]
    codes = np.frombuffer(base64.b64decode(label["codes"]["base64"]), "<i2")
    assert [label["values"][code] for code in codes] == plain["labels"]
    assert data["neighbors"]["places"]["shape"] == [9, 0]  # the page searches for them

"""Images and thumbnails over HTTP: of the gallery's ids alone."""

from __future__ import annotations

import asyncio
import io
from urllib.parse import quote, unquote

import pytest
from PIL import Image
from serving_client import Client, photo

import penult
from penult.serving.app import create_app

pytestmark = pytest.mark.light


def problem(answer, status):
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.json()["detail"]


def test_an_image_is_sent_as_it_is_and_once(client, tmp_path):
    answer = client.get("/v1/images/daisy/0.png")
    assert answer.content == (tmp_path / "images" / "daisy" / "0.png").read_bytes()
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["cache-control"].startswith("private")
    assert answer.headers["content-disposition"] == "inline; filename*=UTF-8''0.png"
    assert "sandbox" in answer.headers["content-security-policy"]
    for sent in (answer.headers["etag"], f'W/{answer.headers["etag"]}, "other"', "*"):
        again = client.get("/v1/images/daisy/0.png", headers={"If-None-Match": sent})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == answer.headers["etag"]
    other = client.get("/v1/images/daisy/1.png", headers={"If-None-Match": answer.headers["etag"]})
    assert other.status_code == 200


def test_a_thumbnail_is_a_jpeg_and_is_sent_once(client):
    answer = client.get("/v1/thumbnails/daisy/0.png")
    assert answer.headers["content-type"] == "image/jpeg"
    assert Image.open(io.BytesIO(answer.content)).size == (16, 12)
    tag = answer.headers["etag"]
    assert tag != client.get("/v1/images/daisy/0.png").headers["etag"]
    again = client.get("/v1/thumbnails/daisy/0.png", headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("route", ["images", "thumbnails"])
def test_an_id_that_differs_in_capitals_leads_to_the_image_that_is_there(client, route):
    assert problem(client.get(f"/v1/{route}/Daisy/0.PNG"), 404) == (
        "the gallery has no image of the id 'Daisy/0.PNG'; did you mean 'daisy/0.png'? Capitals "
        "count"
    )
    assert "/v1/gallery/rows?q=TEXT lists" in problem(client.get(f"/v1/{route}/none.png"), 404)


def test_a_path_is_no_id(client):
    paths = [
        "none.png",
        "../gallery.h5",
        "..%2fgallery.h5",
        "%2e%2e/gallery.h5",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        "daisy/0.png%00",
        "daisy%5c0.png",
        "daisy/../daisy/0.png",
        "daisy/",
        "",
        "C:/daisy/0.png",
    ]
    for kind in ("images", "thumbnails"):
        for path in paths:
            # As they are: a client would make them short.
            answer = ask_raw(client.app, f"/v1/{kind}/{path}")
            assert answer == (404, "application/problem+json"), path


def ask_raw(app, path):
    """The status and type of the answer to a path that is sent as it is."""
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1")],
        "http_version": "1.1",
        "scheme": "http",
    }
    asyncio.run(app(scope, receive, send))
    return sent[0]["status"], dict(sent[0]["headers"])[b"content-type"].decode()


def test_an_image_that_was_changed_or_is_gone_is_a_problem_that_says_so(client, tmp_path):
    for place, kind in enumerate(("images", "thumbnails")):
        file, path = tmp_path / f"images/daisy/{place}.png", f"/v1/{kind}/daisy/{place}.png"
        file.write_bytes(photo((1, 2, 3)))
        answer = client.get(path)
        assert problem(answer, 410) == f"daisy/{place}.png has changed since its row was made"
        assert answer.headers["cache-control"] == "no-store"
        file.unlink()
        assert problem(client.get(path), 404).startswith(f"daisy/{place}.png is ")
        file.symlink_to(tmp_path / "gallery.h5")
        assert "leads out of the folder" in problem(client.get(path), 404)


def test_images_that_have_moved_are_found_where_they_are_said_to_be(
    serve, gallery, tmp_path, caplog
):
    moved = (tmp_path / "images").rename(tmp_path / "moved")
    lost = Client(create_app(serve(gallery=gallery)))
    assert "the pictures of gallery.h5 are not where its rows were made" in caplog.text
    assert lost.get("/v1/gallery").json()["has_images"] is False
    problem(lost.get("/v1/images/daisy/0.png"), 404)
    create_app(serve(gallery=gallery, images=[tmp_path]))
    assert caplog.messages[-1].startswith(
        "penult: the pictures of gallery.h5 are not in the images given, and its names alone"
    )
    caplog.clear()
    found = Client(create_app(serve(gallery=gallery, images=[moved])))
    assert not caplog.messages
    assert found.get("/v1/gallery").json()["has_images"] is True
    assert found.get("/v1/images/daisy/0.png").status_code == 200


def test_without_a_gallery_there_are_none(serve, classifier):
    client = Client(create_app(serve(classifier=classifier)))
    assert "no gallery" in problem(client.get("/v1/images/daisy/0.png"), 404)


def test_an_id_may_have_any_characters(serve, toy, tmp_path):
    names = ["new\nline.png", "a b#c?d=e.png", "100%25.png", "p|q.png", "größe 🌼.png", "end\n"]
    (tmp_path / "odd" / "x").mkdir(parents=True)
    for name in names[:-1]:
        (tmp_path / "odd" / "x" / name).write_bytes(photo((9, 9, 9)))
    penult.extract(tmp_path / "odd", tmp_path / "odd.h5", model=toy, progress=False)
    client = Client(create_app(serve(gallery=tmp_path / "odd.h5")))
    for name in names[:-1]:
        for kind in ("images", "thumbnails", "labels"):
            assert client.get(f"/v1/{kind}/x/{quote(name)}").status_code == 200, (kind, name)
    assert "end\\n" in problem(client.get(f"/v1/images/{quote(names[-1])}"), 404)


def test_whoever_asks_for_the_head_alone_is_told_what_there_is(client):
    for kind in ("images", "thumbnails"):
        path = f"/v1/{kind}/daisy/0.png"
        answer = client.request("HEAD", path)
        assert (answer.status_code, answer.headers["etag"]) == (
            200,
            client.get(path).headers["etag"],
        )

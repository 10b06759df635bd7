"""What is sent that cannot be taken: a problem with a status that fits, and no more read of it."""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib

import pytest
from serving_client import Client, photo, refused

from penult.serving.app import create_app

pytestmark = pytest.mark.light

FEATURES = "/v1/features"


@pytest.fixture
def small(serve, gallery):
    """A client of a service that takes 5,000 bytes, 10,000 pixels and two photos."""
    return Client(
        create_app(serve(gallery=gallery, max_bytes=5000, max_pixels=10_000, max_parts=2))
    )


def huge_header() -> bytes:
    """A PNG of 100,000 × 100,000 pixels, in some bytes."""
    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def test_a_photo_comes_in_three_ways(client):
    data = photo((51, 102, 255))
    raw = [
        client.post(FEATURES, content=data, headers={"Content-Type": kind})
        for kind in ("image/png", "image/jpeg", "application/octet-stream")
    ]
    plain = client.post(FEATURES, content=data)
    forms = [
        client.post(FEATURES, files={name: data}) for name in ("file", "files", "image", "photo")
    ]
    rows = [one.json()["features"][0] for one in [*raw, plain, *forms]]
    assert rows == [pytest.approx([0.2, 0.4, 1.0])] * len(rows)


def test_no_photo_at_all(client):
    refused(client.post(FEATURES), 400, "no photo was sent", "image/jpeg")
    refused(client.post(FEATURES, files={"other": b"x"}), 400, "'other'", "file, files")
    empty = client.post(FEATURES, files={"file": ("a.png", b"")})
    refused(empty, 422, "is empty")


def test_what_is_no_image(client):
    refused(client.post(FEATURES, content=b"hello"), 422, "not an image")
    kind = {"Content-Type": "text/html"}
    refused(client.post(FEATURES, content=b"<html>", headers=kind), 415, "text/html", "image/jpeg")


def test_a_zip_of_photos_is_said_to_be_one(client):
    with zipfile.ZipFile(data := io.BytesIO(), "w") as archive:
        archive.writestr("a.png", photo((1, 2, 3)))
    one_by_one = "is a zip archive, not a photo; send its photos one by one"
    for kind in ("application/zip", "image/jpeg"):
        sent = client.post(FEATURES, content=data.getvalue(), headers={"Content-Type": kind})
        refused(sent, 415, one_by_one)
    form = client.post(FEATURES, files={"file": ("all.zip", data.getvalue())})
    refused(form, 415, "all.zip", one_by_one)


def test_more_bytes_than_may_be_are_not_read(small):
    read = 0

    async def endless():
        nonlocal read
        while True:
            read += 1000
            yield b"x" * 1000

    refused(small.post(FEATURES, content=endless()), 413, "5,000 bytes")
    assert read <= 7000
    announced = small.post(FEATURES, content=b"", headers={"Content-Length": str(2 << 30)})
    refused(announced, 413, "5,000 bytes")


def test_more_bytes_than_may_be_in_a_form_are_not_read(small):
    refused(small.post(FEATURES, files={"file": b"x" * 6000}), 413, "5,000 bytes")
    refused(small.post(FEATURES, files={"file": b"x" * 100_000}), 413, "5,000 bytes")


def test_more_photos_than_may_be(small):
    files = [("file", photo((1, 2, 3)))] * 3
    refused(small.post(FEATURES, files=files), 413, "2 photos", "several requests")


def test_more_pixels_than_may_be_by_the_header_alone(small):
    told = refused(small.post(FEATURES, content=huge_header()), 413, "pixels")
    assert "100,000" in told["detail"]
    refused(small.post(FEATURES, content=photo((1, 2, 3), (101, 100))), 413, "pixels")
    assert small.post(FEATURES, content=photo((1, 2, 3), (100, 100))).status_code == 200


def test_a_form_that_is_none(client):
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    refused(client.post(FEATURES, content=b"nothing of that", headers=kind), 400, "form")
    kind = {"Content-Type": "multipart/form-data"}
    refused(client.post(FEATURES, content=b"x", headers=kind), 400, "boundary")
    refused(client.post(FEATURES, data={"file": "photo.jpg"}, files={"x": b""}), 400, "is text")


@pytest.mark.parametrize(
    "body", ["{", "[1]", '"a"', "[" * 100_000, '{"url": 1}', '{"url": "http://a/", "x": 1}', "{}"]
)
def test_json_that_is_no_photo(client, body):
    answer = client.post(FEATURES, content=body, headers={"Content-Type": "application/json"})
    refused(answer, answer.status_code)
    assert answer.status_code in (400, 422)


def test_a_body_that_is_compressed_is_refused_with_what_to_send_instead(client):
    sent = {"content": photo((1, 2, 3)), "headers": {"Content-Encoding": "gzip"}}
    for path in (FEATURES, "/v1/labels", "/v1/session"):
        answer = client.post(path, **sent)
        refused(answer, 415, "is in gzip (Content-Encoding); send it as it is")
        assert answer.headers["accept-encoding"] == "identity"
    sent["headers"]["Content-Encoding"] = "identity"
    assert client.post(FEATURES, **sent).status_code == 200


def test_addresses_are_fetched_only_where_that_is_allowed(client):
    refused(
        client.post(FEATURES, json={"url": "https://example.com/a.jpg"}),
        403,
        "fetches no addresses",
    )


def test_a_body_that_does_not_come_in_time(serve, gallery):
    import asyncio

    async def slow():
        yield photo((1, 2, 3))[:20]
        await asyncio.sleep(30)

    slowly = Client(create_app(serve(gallery=gallery, timeout=0.05)))
    refused(slowly.post(FEATURES, content=slow()), 408, "0.05 seconds")


def test_all_that_is_wrong_elsewhere_is_a_problem_too(client):
    refused(client.get("/nowhere"), 404, "/nowhere")
    refused(client.get(FEATURES), 405, "GET", "POST")
    refused(client.post(f"{FEATURES}/"), 404, f"{FEATURES}/")
    in_no_text = {"content": b"\xe9", "headers": {"Content-Type": "application/json"}}
    refused(client.post("/v1/session", **in_no_text), 400, "no JSON", "not in UTF-8")
    refused(client.post("/v1/classify?top=x", content=b""), 422, "top", "'x'")


def test_an_error_that_nobody_thought_of_says_nothing_of_itself(client, monkeypatch):
    monkeypatch.setattr("penult.serving.routes.features.rows_of", lambda *_: 1 / 0)
    told = refused(client.post(FEATURES, content=photo((1, 2, 3))), 500)
    assert "division" not in json.dumps(told)


def test_a_form_that_was_cut_off_is_refused_whatever_came_before(client):
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
    whole = head + photo((1, 2, 3)) + b"\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    sent = {"content": whole + head + b"half", "headers": headers}
    refused(client.post(FEATURES, **sent), 400, "the form ends before")
    assert client.post(FEATURES, content=whole + b"--b--\r\n", headers=headers).status_code == 200


def test_no_python_is_in_what_is_refused(client):
    told = refused(client.post(FEATURES, content=b"\0\x01junk"), 422, "the bytes 00 01 6a 75")
    assert "b'" not in told["detail"]
    label = {"content": b'{"label": "x"}', "headers": {"Content-Type": "text/plain"}}
    told = refused(client.put("/v1/labels/daisy/0.png", **label), 415, "application/json")
    assert "b'" not in told["detail"]
    refused(client.put("/v1/labels/daisy/0.png"), 400, "no body was sent")
    told = refused(client.put("/v1/labels/daisy/0.png", json={}), 422, "label is missing")


def test_a_request_that_the_service_fails_at_has_the_headers_of_all_answers(client, monkeypatch):
    monkeypatch.setattr("penult.serving.routes.gallery._told", lambda _: 1 / 0)
    answer = client.get("/v1/gallery")
    refused(answer, 500, "its log says why")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_a_zip_among_photos_is_a_failure_of_its_own(client):
    with zipfile.ZipFile(data := io.BytesIO(), "w") as archive:
        archive.writestr("a.jpg", b"")
    archive = ("file", ("all.zip", data.getvalue()))
    good = ("file", ("good.png", photo((9, 9, 9))))
    answer = client.post(FEATURES, files=[archive, good]).json()
    assert (answer["features"][0], answer["failures"][0]["part"]) == (None, 0)
    assert answer["failures"][0]["detail"].startswith("all.zip: is a zip archive, not a photo")
    refused(client.post(FEATURES, files=[archive, archive]), 415, "is a zip archive")


@pytest.mark.parametrize(
    ("route", "allowed"),
    [
        ("classify?tpo=3", "top"),
        ("search?tpo=3", "k, offset, id, filter"),
        ("features?k=1", "none"),
    ],
)
def test_a_misspelt_name_in_the_query_is_refused_with_those_there_are(client, route, allowed):
    refused(client.post(f"/v1/{route}", content=photo((9, 9, 9))), 422, "unknown name", allowed)

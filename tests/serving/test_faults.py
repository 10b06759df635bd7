"""Uploads that are damaged, slow or given up: a problem each, and the service goes on."""

from __future__ import annotations

import asyncio
import io
import random
import socket
import struct
import threading
import time
from collections import Counter

import httpx
import pytest
from PIL import Image
from serving_client import Client, photo

from penult.serving.app import create_app
from penult.serving.labels.log import LabelLog

pytestmark = pytest.mark.light

PHOTOS = ("/v1/features", "/v1/classify", "/v1/search")
QUERIES = {  # each of names that its route has, but for the last
    "/v1/features": ("", "", "", "?k=3"),
    "/v1/classify": ("", "", "?top=2", "?top=0", "?top=nan", "?filter=a&id=%00"),
    "/v1/search": ("", "", "?k=3", "?k=-1", "?filter=a&id=%00", "?top=nan"),
}
KINDS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "PPM", "ICO", "JPEG2000", "AVIF")
NUMBERS = (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\1", b"\xff\xff\xff\x7f")
TYPES = (
    "image/jpeg",
    "application/octet-stream",
    "image/svg+xml",
    "text/html",
    "",
    "a/b; c=\x7f",
    "/",
)


def originals():
    """A file of each format that this Pillow writes."""
    found = []
    for kind in KINDS:
        image = Image.effect_noise((32, 24), 40).convert("RGB")
        try:
            image.save(out := io.BytesIO(), kind)
        except (KeyError, OSError):
            continue
        found.append(out.getvalue())
    return found


def mutated(data, chosen):
    """A file with some of its bytes changed, cut, doubled or put elsewhere; most at its beginning."""
    data = bytearray(data)
    for _ in range(chosen.choice((1, 1, 2, 5, 20))):
        at = min(chosen.randrange(len(data)), chosen.choice((16, 64, len(data) - 1)))
        match chosen.randrange(7):
            case 0:
                data[at] ^= 1 << chosen.randrange(8)
            case 1:
                data[at] = chosen.randrange(256)
            case 2:
                data[at : at + 4] = chosen.choice(NUMBERS)
            case 3:
                del data[at + 1 : at + 1 + chosen.randrange(64)]
            case 4:
                data[at:at] = chosen.randbytes(chosen.randrange(1, 64))
            case 5:
                data += data[at : at + 1000]
            case 6:
                del data[max(at, 1) :]
    return bytes(data)


def form(data, chosen):
    """A form with a photo, which is damaged itself."""
    field = chosen.choice(("file", "files", "photo", "other", ""))
    head = f'--b\r\nContent-Disposition: form-data; name="{field}"; filename="a.jpg"\r\n\r\n'
    body = (head.encode() + data + b"\r\n") * chosen.choice((1, 1, 1, 2, 40)) + b"--b--\r\n"
    if chosen.random() < 0.5:
        body = mutated(body, chosen)
    return body, chosen.choice(("multipart/form-data; boundary=b", "multipart/form-data"))


def upload(files, chosen):
    """A request with a damaged photo: raw, in a form, or as JSON that is damaged as well."""
    data = mutated(chosen.choice(files), chosen)
    kind = chosen.choice(TYPES)
    way = chosen.random()
    if way < 0.2:
        data, kind = form(data, chosen)
    elif way < 0.3:
        row = b'{"row": [1, 2, NaN], "recipe_sha256": "00", "k": [[[{}]]], "url": "file:///etc"}'
        data, kind = mutated(row, chosen), "application/json"
    path = chosen.choice(PHOTOS)
    query = chosen.choice(QUERIES[path])
    headers = {"Content-Type": kind} if kind else {}
    return path + query, data, headers


async def answers_to(app, requests, at_once=8):
    """The answers to uploads, of which some are on their way at once."""
    turn = asyncio.Semaphore(at_once)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:

        async def ask(path, data, headers):
            async with turn:
                return await client.post(path, content=data, headers=headers)

        return await asyncio.gather(*(ask(*one) for one in requests))


def is_idle(client):
    """Whether nothing is left of requests that have ended."""
    metrics = client.get("/metrics").text.splitlines()
    # One request is that for the metrics.
    return {"penult_queue_photos 0.0", "penult_requests_in_progress 1.0"} <= {*metrics}


def test_a_thousand_damaged_uploads_are_answered_or_refused_and_none_fails(
    serve, gallery, classifier
):
    service = serve(gallery=gallery, classifier=classifier, max_pixels=1_000_000)
    client = Client(create_app(service))
    chosen, files = random.Random(18), originals()
    assert len(files) >= 7
    requests = [upload(files, chosen) for _ in range(1000)]
    answers = asyncio.run(answers_to(client.app, requests))
    for (path, data, headers), answer in zip(requests, answers, strict=True):
        shown = (path, headers, data[:200], answer.status_code, answer.text[:300])
        assert answer.status_code == 200 or 400 <= answer.status_code < 500, shown
        if answer.status_code != 200:
            assert answer.headers["content-type"] == "application/problem+json", shown
            assert {"type", "title", "status", "detail"} <= answer.json().keys(), shown
            assert "Traceback" not in answer.text
            assert "\n" not in answer.json()["detail"], shown
    seen = Counter(answer.status_code for answer in answers)
    assert seen[200] > 50
    assert seen[422] > 50
    assert seen[400] > 10
    assert is_idle(client)
    assert client.post("/v1/features", content=photo((9, 9, 9))).status_code == 200


def test_uploads_that_stand_still_hold_up_no_others_and_end_when_their_time_is_over(
    serve, gallery, tmp_path
):
    with LabelLog(tmp_path / "log.jsonl") as log:
        service = serve(gallery=gallery, label_log=log, timeout=0.3)
        client, whole = Client(create_app(service)), photo((9, 9, 9))

        async def stands_still(started):
            yield whole[:20]
            started.set()
            await asyncio.Event().wait()

        async def run():
            started = [asyncio.Event() for _ in range(20)]
            slow = [
                (path, stands_still(one), {"Content-Type": "application/json" * ("labels" in path)})
                for one, path in zip(started, ["/v1/features", "/v1/labels"] * 10, strict=True)
            ]
            waiting = asyncio.create_task(answers_to(client.app, slow, at_once=20))
            await asyncio.gather(*(one.wait() for one in started))
            (quick,) = await answers_to(client.app, [("/v1/features", whole, {})])
            assert quick.status_code == 200
            assert not waiting.done()
            return await waiting

        answers = asyncio.run(run())
        assert {answer.status_code for answer in answers} == {408}
        assert "did not come within 0.3 seconds" in answers[0].json()["detail"]
        assert "did not come within 0.3 seconds" in answers[1].json()["detail"]
        assert is_idle(client)
        assert len(log) == 0


def test_an_upload_in_many_small_pieces_is_one_photo(client):
    whole = photo((9, 9, 9))

    async def in_pieces():
        for k in range(len(whole)):
            yield whole[k : k + 1]
            await asyncio.sleep(0)

    answers = asyncio.run(answers_to(client.app, [("/v1/features", in_pieces(), {})]))
    assert answers[0].json() == client.post("/v1/features", content=whole).json()


def test_uploads_that_are_given_up_leave_nothing_behind(client):
    kinds = ("image/png", "application/json", "multipart/form-data; boundary=b")
    for path in (*PHOTOS, "/v1/labels", "/v1/labels/undo", "/v1/session"):
        for kind in kinds:
            assert 400 <= given_up(client.app, path, kind) < 500, (path, kind)
    assert is_idle(client)


def given_up(app, path, kind):
    """The status of the answer to a request whose sender leaves in the middle of its body."""
    messages = [{"type": "http.request", "body": b'--b\r\n{"ids": [', "more_body": True}]
    sent = []

    async def receive():
        return messages.pop() if messages else {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1"), (b"content-type", kind.encode())],
        "http_version": "1.1",
        "scheme": "http",
    }
    asyncio.run(app(scope, receive, send))
    return sent[0]["status"]


def test_connections_that_break_off_in_the_middle_of_a_photo_leave_the_service_as_it_was(client):
    import uvicorn

    config = uvicorn.Config(client.app, port=0, log_level="critical", lifespan="off")
    server = uvicorn.Server(config)
    listening = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        address = listening.getsockname()
        whole, chosen = photo((9, 9, 9)), random.Random(18)
        head = (
            f"POST /v1/features HTTP/1.1\r\nHost: 127.0.0.1:{address[1]}\r\n"
            f"Content-Length: {len(whole)}\r\n\r\n"
        ).encode()
        request = head + whole
        for k in range(30):
            with socket.create_connection(address) as connection:
                connection.sendall(request[: chosen.randrange(1, len(request))])
                if k % 2:  # closed by a reset
                    linger = struct.pack("ii", 1, 0)
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        url = f"http://127.0.0.1:{address[1]}"
        assert httpx.post(f"{url}/v1/features", content=whole).status_code == 200
        for _ in range(100):
            if is_idle(client):
                break
            time.sleep(0.05)
        assert is_idle(client)
    finally:
        server.should_exit = True
        thread.join()

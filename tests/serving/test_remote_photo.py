"""Photos at addresses that clients send: of the public internet alone, whatever leads elsewhere."""

from __future__ import annotations

import asyncio
import contextlib
import http.server
import socket
import threading

import httpx
import pytest
from serving_client import Client, photo, refused

from penult.serving.app import create_app
from penult.serving.problems import ProblemError
from penult.serving.uploads import remote_photo
from penult.serving.uploads.remote_photo import fetch_photo, is_public

pytestmark = pytest.mark.light


def fetch(url: str, **options) -> bytes:
    return fetch_photo(url, **{"max_bytes": 1000, "timeout": 5.0, **options})


def refusal(url: str, **options) -> str:
    with pytest.raises(ProblemError) as error:
        fetch(url, **options)
    return error.value.detail


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0",
        "100.64.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0",
        "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::",
        "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2001:db8::1",
    ],
)  # fmt: skip
def test_addresses_that_are_not_of_the_public_internet(address):
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8"]
)
def test_addresses_of_the_public_internet(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/a.jpg", "http://localhost/a.jpg", "http://[::1]/a.jpg", "http://2130706433/",
        "http://0x7f000001/", "http://127.1/", "http://169.254.169.254/latest/meta-data/",
        "http://[::ffff:127.0.0.1]/",
    ],
)  # fmt: skip
def test_whatever_way_it_is_written(url):
    assert "no host of the public internet" in refusal(url)


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd", "ftp://example.com/a.jpg", "s3://bucket/a.jpg", "gopher://a/", "a.jpg", "",
        "http://", "http://a b/", "http://example.com:0/", "http://example.com:99999/", "http://[/",
        "http://example.com/\r\nX: y", "http://user:secret@example.com/", "http://é.com/",
        "http://example.com/" + "a" * 3000,
    ],
)  # fmt: skip
def test_what_is_no_address_of_a_photo(url):
    assert "\n" not in refusal(url)


def test_a_name_of_which_one_address_is_internal(monkeypatch):
    found = [(socket.AF_INET, 1, 6, "", (one, 80)) for one in ("8.8.8.8", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    assert "no host of the public internet" in refusal("http://photos.example/")


class Server(http.server.ThreadingHTTPServer):
    """A web server whose paths are answered by what `answers` has for them."""

    def __init__(self):
        self.answers, self.hosts = {}, []
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://photos.example:{self.server_port}"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.hosts.append(self.headers["Host"])
        status, headers, body = self.server.answers[self.path]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def web(monkeypatch):
    """A web server, whose name leads to an address that counts as public here."""
    resolve = socket.getaddrinfo

    def found(host, *arguments, **options):
        return resolve("127.0.0.1" if host == "photos.example" else host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", found)
    monkeypatch.setattr(remote_photo, "is_public", lambda address: address == "127.0.0.1")
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_photo_is_fetched(web):
    web.answers["/a.png?size=1"] = (200, {}, b"its bytes")
    assert fetch(f"{web.url}/a.png?size=1") == b"its bytes"
    assert web.hosts == [f"photos.example:{web.server_port}"]


def test_redirects_are_followed_some_times(web):
    web.answers["/a"] = (302, {"Location": "/b"}, b"")
    web.answers["/b"] = (301, {"Location": f"{web.url}/c"}, b"")
    web.answers["/c"] = (200, {}, b"its bytes")
    assert fetch(f"{web.url}/a") == b"its bytes"
    web.answers["/a"] = (302, {"Location": "/a"}, b"")
    assert "redirects more than 3 times" in refusal(f"{web.url}/a")


@pytest.mark.parametrize(
    "target", ["http://10.0.0.1/", "http://[::1]/", "file:///etc/passwd", "//10.1.1.1/x"]
)
def test_redirects_lead_nowhere_else(web, target):
    web.answers["/a"] = (302, {"Location": target}, b"")
    assert "address" in (said := refusal(f"{web.url}/a")) or "public internet" in said


def test_no_more_is_read_than_may_be(web):
    web.answers["/a"] = (200, {}, b"x" * 2000)
    assert "1,000 bytes" in refusal(f"{web.url}/a")


def test_what_is_not_there(web):
    web.answers["/a"] = (404, {}, b"")
    assert "answers with 404" in refusal(f"{web.url}/a")


def test_what_does_not_come_in_time(monkeypatch):
    monkeypatch.setattr(remote_photo, "is_public", lambda _: True)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        assert "in time" in refusal(url, timeout=0.1)


def test_what_comes_in_small_pieces_does_not_come_in_time_either(monkeypatch):
    monkeypatch.setattr(remote_photo, "is_public", lambda _: True)
    with socket.create_server(("127.0.0.1", 0)) as slow:
        url = f"http://127.0.0.1:{slow.getsockname()[1]}/"
        ended = threading.Event()

        def drip():
            client, _ = slow.accept()
            with client, contextlib.suppress(OSError):
                client.sendall(b"HTTP/1.1 200 OK\r\n")
                while not ended.wait(0.02):
                    client.sendall(b"A")

        thread = threading.Thread(target=drip)
        thread.start()
        try:
            assert "in time" in refusal(url, timeout=0.2)
        finally:
            ended.set()
            thread.join()


def test_it_takes_its_place_among_the_bodies_of_all_requests(web, serve, gallery):
    web.answers["/rose.png"] = (200, {}, photo((170, 20, 40)).ljust(60_000, b"\0"))
    # With 64 KB for forms, two of these have room.
    limits = {"max_bytes": 60_000, "max_total_bytes": 60_000, "timeout": 0}
    app = create_app(serve(gallery=gallery, allow_urls=True, **limits))

    async def run():
        go, begun = asyncio.Event(), asyncio.Semaphore(0)

        async def slow():
            yield web.answers["/rose.png"][2]
            begun.release()
            await go.wait()

        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            others = [
                asyncio.create_task(client.post("/v1/classify", content=slow())) for _ in "ab"
            ]
            await begun.acquire()
            await begun.acquire()
            asked = {"json": {"url": f"{web.url}/rose.png"}}
            without_room = await client.post("/v1/classify", **asked)
            go.set()
            return (
                without_room,
                *await asyncio.gather(*others),
                await client.post("/v1/classify", **asked),
            )

    without_room, *others = asyncio.run(run())
    refused(without_room, 503, "they may have together; try again in 1 s")
    assert [one.json()["label"] for one in others] == 3 * ["rose"]


def test_the_service_classifies_it_where_that_is_allowed(web, serve, gallery):
    web.answers["/rose.png"] = (200, {}, photo((170, 20, 40)))
    client = Client(create_app(serve(gallery=gallery, allow_urls=True)))
    answer = client.post("/v1/classify", json={"url": f"{web.url}/rose.png"})
    assert answer.json()["label"] == "rose"
    refused = client.post("/v1/classify", json={"url": "http://10.0.0.1/rose.png"})
    assert refused.status_code == 422
    assert refused.json()["detail"] == "10.0.0.1 is no host of the public internet"


def test_a_host_that_there_is_not_is_named(monkeypatch):
    def unknown(*_, **__):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert refusal("http://flowers.example/a.jpg") == "there is no host flowers.example"

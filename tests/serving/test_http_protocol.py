"""What a connection carries: requests that are none, heads that never end, and what follows."""

from __future__ import annotations

import json
import logging
import socket
import threading

import pytest
from serving_at_a_port import at_a_port

from penult.serving import http_protocol
from penult.serving.access import access_rules
from penult.serving.http_protocol import HttpProtocol

pytestmark = pytest.mark.light

GET = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n"
POST = b"POST /v1/classify HTTP/1.1\r\nHost: 127.0.0.1\r\n"
LAST = b"Connection: close\r\n\r\n"


def place_of(url: str) -> tuple[str, int]:
    host, _, port = url.removeprefix("http://").rpartition(":")
    return host, int(port)


def connected(url: str) -> socket.socket:
    return socket.create_connection(place_of(url), timeout=20)


def answer_to(url: str, *pieces: bytes) -> bytes:
    """All that comes back, until the service ends the connection."""
    found = b""
    with connected(url) as client:
        try:
            for piece in pieces:
                client.sendall(piece)
            while piece := client.recv(65536):
                found += piece
        except ConnectionError:  # it is ended while more is sent
            pass
    return found


NO_CHUNK = b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"
NO_REQUESTS = [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\r\n\r\n",  # TLS
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    POST + NO_CHUNK,
    b"CONNECT elsewhere:80 HTTP/1.1\r\nHost: elsewhere\r\n\r\n",
]
TOO_LONG = {
    "a field": [GET + b"A: " + 70_000 * b"x" + b"\r\n\r\n"],
    "an address": [b"GET /" + 70_000 * b"x" + b" HTTP/1.1\r\n\r\n"],
    "fields": [GET, *(b"A%d: x\r\n" % number for number in range(20_000)), LAST],
    "a field without end": [GET + b"A: ", *(20 * [100_000 * b"x"])],
    "a trailer without end": [
        POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\nA: ",
        *(20 * [100_000 * b"x"]),
    ],
}


def test_what_is_no_request_is_a_problem_and_not_logged(service, caplog, capfd):
    with at_a_port(service) as listening:
        for sent in NO_REQUESTS:
            head, _, body = answer_to(listening.url, sent).partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 400 Bad Request\r\n"), sent
            assert b"application/problem+json" in head
            assert b"nosniff" in head
            assert json.loads(body)["detail"].startswith("this is no request of HTTP/1.1")
    assert not caplog.records
    assert capfd.readouterr().err == ""


def test_no_more_is_read_beside_a_body_than_64_kb(service):
    with at_a_port(service) as listening:
        for name, pieces in TOO_LONG.items():
            assert answer_to(listening.url, *pieces).startswith(b"HTTP/1.1 431 "), name


def test_what_is_no_request_is_counted_and_what_breaks_off_once(service):
    with at_a_port(service) as listening:
        for sent in (b"no request\r\n\r\n", *TOO_LONG["a field"], POST + NO_CHUNK):
            answer_to(listening.url, sent)
    counted = [
        line.partition("requests_total")[2]
        for line in service.metrics.text()[0].decode().splitlines()
        if line.startswith("penult_requests_total")
    ]
    assert sorted(counted) == [
        '{method="POST",route="/v1/classify",status="400"} 1.0',
        '{method="other",route="other",status="400"} 1.0',
        '{method="other",route="other",status="431"} 1.0',
    ]


def test_who_sends_too_much_reads_why_and_the_service_ends_meanwhile(serve, gallery):
    service = serve(gallery=gallery, max_bytes=1000)
    head = POST + b"Content-Length: 30000000\r\n\r\n"
    with at_a_port(service) as listening:
        assert answer_to(listening.url, head, *(300 * [100_000 * b"x"])).startswith(
            b"HTTP/1.1 413 "
        )
        client = connected(listening.url)
        client.sendall(head)
        assert client.recv(65536).startswith(b"HTTP/1.1 413 ")
    client.close()


def test_a_client_that_takes_no_answer_is_not_waited_for(service, monkeypatch):
    lost, before = threading.Event(), HttpProtocol.connection_lost
    monkeypatch.setattr(http_protocol, "_SECONDS", 0.2)
    monkeypatch.setattr(
        HttpProtocol, "connection_lost", lambda self, exc: (before(self, exc), lost.set())
    )
    with at_a_port(service) as listening, socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(place_of(listening.url))
        client.sendall(300 * b"GET /static/row_map.js HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert lost.wait(20)


def test_a_head_has_to_come_in_time(service, monkeypatch):
    monkeypatch.setattr(http_protocol, "_SECONDS", 0.05)
    with at_a_port(service) as listening:
        assert answer_to(listening.url) == b""
        assert answer_to(listening.url, GET) == b""
        assert b"200 OK" in answer_to(listening.url, GET + LAST)


def test_a_trailer_is_not_heeded(serve, gallery):
    service = serve(
        gallery=gallery, access=access_rules("127.0.0.1", token="a-token-of-16-characters")
    )
    chunked = POST + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n"
    with at_a_port(service) as listening:
        bearer = b"Authorization: Bearer a-token-of-16-characters\r\n\r\n"
        assert b" 401 " in answer_to(listening.url, chunked + bearer)


def test_an_upgrade_is_not_heeded_and_the_next_request_is_answered(service, caplog):
    with at_a_port(service) as listening:
        for to in (b"h2c", b"websocket"):
            upgrade = GET + b"Connection: Upgrade\r\nUpgrade: " + to + b"\r\n\r\n"
            for pieces in ([upgrade + GET + LAST], [upgrade, GET + LAST]):
                assert answer_to(listening.url, *pieces).count(b"HTTP/1.1 200 OK") == 2
    assert not caplog.records


def test_requests_that_come_at_once_are_answered_in_turn(service):
    with at_a_port(service) as listening:
        found = answer_to(listening.url, 3 * (GET + b"\r\n") + GET + LAST)
    assert found.count(b'{"status":"ok"}') == 4


def test_a_form_with_junk_behind_it_is_not_logged(service, caplog):
    form = (
        b"\r\n--b\r\nContent-Disposition: form-data; name=file\r\n\r\nx\r\n--b--\r\n" + 60 * b"junk"
    )
    head = b"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: %d\r\n" % len(form)
    before = logging.getLogger("python_multipart").level
    with at_a_port(service) as listening:
        assert b"HTTP/1.1 400 " in answer_to(listening.url, POST + head + LAST + form)
    assert not caplog.records
    assert logging.getLogger("python_multipart").level == before


def test_what_answers_get_answers_head_without_a_body(service):
    with at_a_port(service) as listening:
        for path in ("/", "/static/page.js", "/v1/gallery", "/metrics", "/v1/labels"):
            ask = f" {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n".encode() + LAST
            by_get, by_head = (answer_to(listening.url, verb + ask) for verb in (b"GET", b"HEAD"))
            assert by_get.startswith(b"HTTP/1.1 200 OK\r\n"), path
            head, _, body = by_head.partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 OK\r\n"), path
            assert body == b""

"""The service at a port: from the address that it tells to an end in good order."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from queue import Queue

import httpx
import pytest
from serving_at_a_port import at_a_port
from serving_client import COLOURS, photo

import penult
from penult.errors import SourceError, UsageError
from penult.serving.server import listen

pytestmark = pytest.mark.light

ROSE = photo(COLOURS["rose"])
TESTS = Path(__file__).parent.parent


def post(url: str, **options) -> httpx.Response:
    return httpx.post(f"{url}/v1/classify", **{"content": ROSE, "timeout": 20, **options})


def is_refused(connection: socket.socket) -> bool:
    """Whether what is sent finds no socket at the other end, which the system says of the next."""
    try:
        for _ in range(100):
            connection.sendall(b"x")
            time.sleep(0.01)
    except (BrokenPipeError, ConnectionResetError):
        return True
    return False


def test_it_answers_at_the_address_that_it_tells(service):
    with at_a_port(service) as listening:
        assert listening.url.startswith("http://127.0.0.1:")
        assert post(listening.url).json()["label"] == "rose"
        assert httpx.get(f"{listening.url}/readyz").status_code == 200
    with pytest.raises(httpx.ConnectError):
        post(listening.url)


def test_of_all_addresses_it_tells_one_that_can_be_called(service):
    with at_a_port(service, "0.0.0.0") as listening:
        assert listening.url.startswith("http://127.0.0.1:")
        assert httpx.get(f"{listening.url}/readyz").status_code == 200


def test_stopping_answers_what_is_in_progress_and_refuses_the_rest(service, monkeypatch):
    go, inside = threading.Event(), threading.Event()
    composition = service.served.gallery.lane.composition
    run_network = composition.run

    def held(images):
        inside.set()
        assert go.wait(20)
        return run_network(images)

    monkeypatch.setattr(composition, "run", held)
    answers: Queue = Queue()
    with at_a_port(service) as listening:
        asking = threading.Thread(target=lambda: answers.put(post(listening.url)))
        asking.start()
        assert inside.wait(20)
        listening.stop()
        while service.is_ready:
            pass
        refused = post(listening.url)
        assert refused.status_code == 503
        assert refused.headers["Retry-After"]
        assert httpx.get(f"{listening.url}/healthz").status_code == 200
        go.set()
        assert answers.get(timeout=20).json()["label"] == "rose"
        asking.join(20)


def test_a_client_that_leaves_half_way_harms_nobody(service):
    with at_a_port(service) as listening:
        address = ("127.0.0.1", int(listening.url.rpartition(":")[2]))
        for sent in (b"", b"POST /v1/classify HT", b"nonsense\r\n\r\n"):
            with socket.create_connection(address) as leaving:
                leaving.sendall(sent)
        head = b"POST /v1/classify HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5000\r\n\r\n"
        for _ in range(5):
            with socket.create_connection(address) as leaving:
                leaving.sendall(head + ROSE[:20])
        assert post(listening.url).json()["label"] == "rose"
        assert len(service.queue) == 0


def test_asked_twice_it_ends_at_once_and_says_how_many_were_not_answered(service, caplog):
    head = b"POST /v1/classify HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5000\r\n\r\n"
    with at_a_port(service) as listening:
        address = ("127.0.0.1", int(listening.url.rpartition(":")[2]))
        with socket.create_connection(address) as waiting:
            waiting.sendall(head)
            while not service.in_progress:
                time.sleep(0.01)
            listening.stop()
            listening.stop()
            waiting.settimeout(20)
            assert not waiting.recv(100).startswith(b"HTTP/1.1 200")
    told = [one.getMessage() for one in caplog.records]
    assert told == ["penult: stopped at once; 1 request was not answered"]


def test_stopped_at_once_it_leaves_no_socket_open_to_a_client_that_still_sends(service):
    head = b"POST /v1/classify HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5000\r\n\r\n"
    with ExitStack() as ended:
        listening = ended.enter_context(at_a_port(service))
        address = ("127.0.0.1", int(listening.url.rpartition(":")[2]))
        with socket.create_connection(address) as sending:
            sending.sendall(head)
            while not service.in_progress:
                time.sleep(0.01)
            listening.stop()
            ended.close()  # stops it again, and waits for its thread
            assert is_refused(sending)


def test_a_port_that_is_taken_is_one_line(gallery):
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"port {port} .*in use"):
            penult.serve(gallery=gallery, port=port)
    with pytest.raises(UsageError, match="no port"):
        penult.serve(gallery=gallery, port=70_000)
    with pytest.raises(UsageError, match="cannot listen at"):
        penult.serve(gallery=gallery, host="no.such.host.invalid", port=0, no_auth=True)


def test_nothing_to_serve_is_one_line():
    with pytest.raises(UsageError, match="nothing to serve"):
        penult.serve()


def test_without_its_extra_it_says_what_to_install(gallery, monkeypatch):
    from penult import extras

    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    with pytest.raises(penult.MissingExtraError, match=r"penult\[serve\]"):
        penult.serve(gallery=gallery)


def test_a_token_that_is_not_there(gallery, tmp_path, monkeypatch):
    (tmp_path / "empty").write_text("\n")
    with pytest.raises(UsageError, match="is empty"):
        penult.serve(gallery=gallery, token_file=tmp_path / "empty")
    with pytest.raises(UsageError, match="no such file"):
        penult.serve(gallery=gallery, token_file=tmp_path / "nowhere")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    with pytest.raises(SourceError, match="no text"):
        penult.serve(gallery=gallery, token_file=tmp_path / "bytes")
    monkeypatch.delenv("PENULT_TOKEN", raising=False)
    with pytest.raises(UsageError, match="'PENULT_TOKEN'"):
        penult.serve(gallery=gallery, token_env="PENULT_TOKEN")
    with pytest.raises(UsageError, match="one of them"):
        penult.serve(gallery=gallery, token_file=tmp_path / "empty", token_env="PENULT_TOKEN")


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="there are no such signals")
def test_signals_reload_and_stop_a_command(gallery, tmp_path, toy):
    command = [sys.executable, str(TESTS / "serve_toy.py"), "serve", "--gallery", str(gallery)]
    process = subprocess.Popen(
        [*command, "--port", "0", "--json", "--quiet"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ,
    )
    try:
        url = json.loads(process.stdout.readline())["url"]
        assert httpx.get(f"{url}/v1/gallery").json()["images"] == 9
        other = tmp_path / "other.h5"
        penult.extract(tmp_path / "images/rose", other, model=toy, progress=False)
        other.replace(gallery)
        process.send_signal(signal.SIGHUP)
        # What is measured of a gallery in the background changes its answer as well.
        while (now := httpx.get(f"{url}/v1/gallery").json()["images"]) == 9:
            pass
        assert now == 3
        process.send_signal(signal.SIGTERM)
        said = process.communicate(timeout=20)
        assert (process.returncode, said) == (0, ("", ""))
    finally:
        process.kill()
        process.communicate()

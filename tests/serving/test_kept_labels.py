"""Where `penult serve` keeps labels, and whom it lets ask."""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from queue import Queue

import httpx
import pytest

import penult
from penult.errors import LabelLogError, OutputError, OutputExistsError, UsageError
from penult.serving.labels import log as label_log
from penult.serving.labels.log import LabelLog

pytestmark = pytest.mark.light

TOKEN = "0123456789abcdef"


@contextmanager
def serving(**options):
    """`penult.serve` in a thread: an HTTP client of it."""
    ready: Queue = Queue()

    def run():
        try:
            penult.serve(port=0, progress=False, on_ready=ready.put, **options)
        except BaseException as error:
            ready.put(error)
            raise

    thread = threading.Thread(target=run)
    thread.start()
    listening = ready.get(timeout=20)
    with httpx.Client(base_url=listening.url, timeout=20) as client:
        try:
            yield client
        finally:
            listening.stop()
            thread.join(20)


def put(client, label="tulip"):
    return client.put("/v1/labels/rose/0.png", json={"label": label})


def test_labels_are_kept_beside_the_gallery_and_are_there_when_it_is_served_again(gallery):
    log = gallery.with_name("gallery.h5.labels.jsonl")
    with serving(gallery=gallery) as client:
        assert not log.exists()
        assert put(client).json()["old"] == "rose"
        with pytest.raises(OutputExistsError, match="another service"):
            penult.serve(gallery=gallery, port=0, progress=False)
    with serving(gallery=gallery) as client:
        assert client.get("/v1/labels/rose/0.png").json()["label"] == "tulip"
        assert put(client, "daisy").json()["old"] == "tulip"
    assert log.read_bytes().count(b"\n") == 3


def test_they_are_kept_elsewhere_where_that_is_said(gallery, tmp_path):
    with serving(gallery=gallery, label_log=tmp_path / "mine.jsonl") as client:
        put(client)
    assert (tmp_path / "mine.jsonl").exists()
    assert not gallery.with_name("gallery.h5.labels.jsonl").exists()
    with serving(gallery=penult.load(gallery)) as client:
        assert put(client).status_code == 403  # rows in memory lie nowhere


def test_a_gallery_that_lies_where_nobody_may_write_is_served_without(gallery, monkeypatch, caplog):
    def refused(path, _):
        raise OutputError(f"{path} cannot be written: the folder is read-only")

    monkeypatch.setattr(label_log, "lock_file", refused)
    with caplog.at_level(logging.WARNING), serving(gallery=gallery) as client:
        assert put(client).status_code == 403
    assert "labels cannot be corrected" in caplog.text
    assert "label_log='FILE'" in caplog.text or "label_log=FILE" in caplog.text
    with pytest.raises(OutputError, match="read-only"):
        penult.serve(gallery=gallery, label_log=gallery.with_name("log"), port=0, progress=False)


def test_what_is_no_log_and_a_log_without_a_gallery_are_one_line(gallery, classifier, tmp_path):
    (tmp_path / "mine").write_text("path,label\n")
    with pytest.raises(LabelLogError, match="is not a log of labels"):
        penult.serve(gallery=gallery, label_log=tmp_path / "mine", port=0, progress=False)
    with pytest.raises(UsageError, match="there is none; give gallery=FILE as well"):
        penult.serve(classifier=classifier, label_log="log", port=0, progress=False)


def test_others_than_this_machine_are_let_in_with_a_token_or_without_by_a_word(gallery, tmp_path):
    (tmp_path / "token").write_bytes(f"\ufeff{TOKEN}\r\n".encode())  # as Windows writes it
    with pytest.raises(UsageError, match="so that a token is needed"):
        penult.serve(gallery=gallery, host="0.0.0.0", port=0, progress=False)
    with serving(gallery=gallery, host="0.0.0.0", token_file=tmp_path / "token") as client:
        assert client.get("/v1/gallery").status_code == 401
        assert client.get("/healthz").status_code == 200
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        assert client.get("/v1/gallery", headers=bearer).status_code == 200
    with serving(gallery=gallery, host="0.0.0.0", no_auth=True) as client:
        assert client.get("/v1/gallery").status_code == 200


def test_a_proxy_calls_it_by_a_name_that_was_allowed(gallery):
    proxied = {"Host": "shop.example"}
    with serving(gallery=gallery) as client:
        assert client.get("/v1/gallery", headers=proxied).status_code == 403
    with serving(gallery=gallery, allowed_host=["shop.example"]) as client:
        assert client.get("/v1/gallery", headers=proxied).status_code == 200


def test_a_change_in_progress_is_kept_when_it_is_told_to_stop(gallery, monkeypatch):
    go, inside, put_it = threading.Event(), threading.Event(), LabelLog.put

    def slow(*args, **options):
        inside.set()
        go.wait(20)
        return put_it(*args, **options)

    monkeypatch.setattr(LabelLog, "put", slow)
    answers: Queue = Queue()
    with serving(gallery=gallery) as client:
        thread = threading.Thread(target=lambda: answers.put(put(client)))
        thread.start()
        inside.wait(20)
        threading.Timer(0.2, go.set).start()  # once it stops, which leaving the block has it do
    assert answers.get(timeout=20).json()["new"] == "tulip"
    thread.join()
    with LabelLog(gallery.with_name("gallery.h5.labels.jsonl")) as log:
        assert log.state()["rose/0.png"].new == "tulip"

"""A service that has more to do than it can, or is about to stop."""

from __future__ import annotations

import threading

import pytest
from serving_client import Client, photo, refused

from penult.serving.app import create_app

pytestmark = pytest.mark.light

PHOTO = photo((51, 102, 255))


def test_photos_of_many_requests_share_batches(serve, gallery):
    service = serve(gallery=gallery)
    batches = []
    service.queue.on_batch = lambda photos, seconds: batches.append(photos)
    asked = [("POST", "/v1/features", {"content": photo((k, 0, 0))}) for k in range(40)]
    answers = Client(create_app(service)).together(asked)
    rows = [one.json()["features"][0][0] for one in answers]
    assert rows == pytest.approx([k / 255 for k in range(40)])
    assert sum(batches) == 40
    assert len(batches) < 40


def test_a_full_queue_is_said_at_once_with_the_time_to_wait(serve, gallery, monkeypatch):
    service = serve(gallery=gallery, queue=2, max_parts=2)
    go, run = threading.Event(), service.served.gallery.lane.composition.run

    def held(images):
        assert go.wait(20)
        return run(images)

    monkeypatch.setattr(service.served.gallery.lane.composition, "run", held)
    client = Client(create_app(service))
    taken = service.queue.submit
    asked = 0

    def counted(records, lane):
        nonlocal asked
        asked += 1
        try:
            return taken(records, lane)
        finally:
            if asked == 5:
                go.set()

    monkeypatch.setattr(service.queue, "submit", counted)
    answers = client.together([("POST", "/v1/features", {"content": PHOTO})] * 5)
    assert sorted(one.status_code for one in answers) == [200, 200, 503, 503, 503]
    busy = next(one for one in answers if one.status_code == 503)
    refused(busy, 503, "2 photos wait", "try again")
    assert int(busy.headers["Retry-After"]) >= 1


def test_an_answer_that_does_not_come_in_time(serve, gallery, monkeypatch):
    service = serve(gallery=gallery, timeout=0.05)
    go = threading.Event()
    monkeypatch.setattr(
        service.served.gallery.lane.composition, "run", lambda images: go.wait(20) and None
    )
    answer = Client(create_app(service)).post("/v1/features", content=PHOTO)
    refused(answer, 503, "0.05 seconds")
    assert answer.headers["Retry-After"]
    go.set()


def test_a_service_that_stops_refuses_and_still_says_that_it_lives(client, service):
    assert client.get("/readyz").json() == {"status": "ready"}
    service.is_ready = False
    refused(client.post("/v1/features", content=PHOTO), 503, "stopping")
    for path in ("/readyz", "/v1/readyz"):
        refused(client.get(path), 503)
    for path in ("/healthz", "/v1/healthz"):
        assert client.get(path).json() == {"status": "ok"}


def test_a_closed_queue_is_said_to_be(client, service):
    service.queue.close()
    refused(client.post("/v1/features", content=PHOTO), 503, "stopping")


def test_more_requests_at_once_than_may_be(serve, gallery):
    service = serve(gallery=gallery, max_requests=1)
    answers = Client(create_app(service)).together(
        [("POST", "/v1/features", {"content": PHOTO})] * 3
    )
    assert sorted(one.status_code for one in answers) == [200, 503, 503]
    assert service.in_progress == 0

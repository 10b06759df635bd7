"""`/v1/gallery/rows`, `/v1/map` and `/v1/review` of nine photos, three of each label."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from serving_client import Client
from serving_gallery import Said

import penult
from penult.serving.app import create_app
from penult.serving.reloading import reload

pytestmark = pytest.mark.light

SOON = 60
ROSES = [f"rose/{k}.png" for k in range(3)]


@pytest.fixture
def said():
    return Said()


@pytest.fixture
def service(serve, gallery, said):
    return serve(gallery=gallery, label_log=said)


@pytest.fixture
def client(service):
    return Client(create_app(service))


@pytest.fixture
def ready(service):
    """The collection, of which all is there."""
    collection = service.served.gallery.collection
    collection.start()
    assert collection.places.wait(SOON)
    return collection


def rows(client, query=""):
    answer = client.get(f"/v1/gallery/rows{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()["total"], [one["id"] for one in answer.json()["rows"]]


def test_rows_come_a_page_at_a_time(client):
    total, first = rows(client, "?limit=4")
    _, rest = rows(client, "?offset=4&limit=100")
    assert total == 9
    assert (len(first), len(rest)) == (4, 5)
    assert rows(client)[1] == first + rest
    assert rows(client, "?offset=1000")[1] == []


def test_rows_of_a_label_are_those_that_have_it_now(client, said):
    assert rows(client, "?label=rose") == (3, ROSES)
    said.put("rose/1.png", "daisy")
    said.put("rose/2.png", None)
    assert rows(client, "?label=rose") == (1, ["rose/0.png"])
    assert rows(client, "?label=daisy")[0] == 4
    assert rows(client, "?label=") == (1, ["rose/2.png"])
    assert rows(client, "?label=lily") == (0, [])
    (row,) = client.get("/v1/gallery/rows?q=rose/1").json()["rows"]
    assert row == {"id": "rose/1.png", "label": "daisy", "cluster": None}


def test_rows_are_found_by_a_part_of_their_id(client):
    assert rows(client, "?q=ROSE") == (3, ROSES)
    assert rows(client, "?q=rose&label=daisy") == (0, [])
    assert rows(client, "?q=1.png&label=rose") == (1, ["rose/1.png"])


def test_clusters_are_told_when_they_are_there(client, gallery, ready):
    wanted = penult.cluster(gallery, progress=False)
    first = [str(wanted.ids[k]) for k in np.flatnonzero(wanted.assignments == 0)]
    assert rows(client, "?cluster=0") == (len(first), first)
    assert rows(client, "?cluster=99") == (0, [])
    told = client.get("/v1/gallery").json()["clusters"]
    assert [one["cluster"] for one in told] == list(range(wanted.k))
    assert [one["images"] for one in told] == [one.size for one in wanted.clusters]
    assert told[0]["name"] == wanted.clusters[0].name


@pytest.mark.parametrize("path", ["/v1/map", "/v1/review", "/v1/gallery/rows?cluster=0"])
def test_what_is_not_there_yet_is_asked_for_again(client, service, monkeypatch, path):
    monkeypatch.setattr(service.served.gallery.collection, "start", lambda: None)
    answer = client.get(path)
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert "still being worked out" in answer.json()["detail"]


@pytest.mark.parametrize("path", ["/v1/map", "/v1/review"])
def test_the_first_who_asks_has_it_worked_out(client, service, path):
    client.get(path)
    assert service.served.gallery.collection.places.wait(SOON)
    assert client.get(path).status_code == 200


@pytest.mark.parametrize("path", ["/v1/map", "/v1/review", "/v1/gallery/rows"])
def test_without_a_gallery_there_is_none(serve, classifier, path):
    answer = Client(create_app(serve(classifier=classifier))).get(path)
    assert answer.status_code == 404
    assert answer.json()["detail"] == "this service has no gallery"


def test_the_map_has_a_place_for_each_image(client, ready, said):
    said.put("rose/0.png", "lily")
    told = client.get("/v1/map").json()
    assert sorted(told["ids"]) == sorted(rows(client)[1])
    assert {len(told[one]) for one in ("x", "y", "labels", "clusters")} == {9}
    assert (told["method"], told["images"]) == ("tsne", 9)
    assert told["labels"][told["ids"].index("rose/0.png")] == "lily"
    assert told["x"] == pytest.approx(ready.places.get().xy[:, 0], abs=1e-3)
    assert None not in told["clusters"]


def test_a_mistaken_label_is_reviewed_until_somebody_has_looked(serve, gallery, said):
    said.put("rose/0.png", "daisy")
    said.forget("rose/0.png")
    features = penult.load(gallery)
    labels = features.labels.copy()
    place = [*features.ids].index("rose/0.png")
    labels[place] = features.label_names.index("daisy")
    wrong = features.__class__(**{**vars(features), "labels": labels})
    service = serve(gallery=wrong, label_log=said)
    client, collection = Client(create_app(service)), service.served.gallery.collection
    collection.start()
    assert collection.review.wait(SOON)
    answer = client.get("/v1/review")
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["total"], told["judged"], told["images"]) == (1, 9, 9)
    (item,) = told["items"]
    assert (item["id"], item["label"], item["suggested"]) == ("rose/0.png", "daisy", "rose")
    assert item["reason"].endswith("nearest to it are labelled rose, 3 daisy")
    said.put("rose/0.png", "daisy")  # confirmed
    assert client.get("/v1/review?kind=errors").json()["items"] == []
    said.forget("rose/0.png")
    assert client.get("/v1/review").json()["total"] == 1
    assert client.get("/v1/review?offset=1").json()["items"] == []
    assert client.get("/v1/review?kind=unsure").status_code == 200


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/v1/gallery/rows?limit=0", "limit"),
        ("/v1/gallery/rows?limit=1001", "limit"),
        ("/v1/gallery/rows?offset=-1", "offset"),
        ("/v1/gallery/rows?cluster=x", "cluster"),
        pytest.param(f"/v1/gallery/rows?q={'x' * 1001}", "q", id="long"),
        ("/v1/review?kind=all", "kind"),
        ("/v1/review?limit=1000000", "limit"),
        ("/v1/review?offset=99999999999999999999", "offset"),
    ],
)
def test_a_value_that_is_not_allowed_is_named(client, path, name):
    answer = client.get(path)
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith(f"{name} is ")


def test_a_gallery_knows_from_what_on_a_photo_is_unlike_it(client, gallery):
    index = penult.Index.of(penult.load(gallery))
    assert client.get("/v1/gallery").json()["unlike_threshold"] == index.likeness.threshold


def test_a_gallery_that_is_reloaded_is_worked_out_anew(client, gallery, ready, service):
    features = penult.load(gallery)
    penult.index(gallery, gallery.with_suffix(".index"))
    assert client.get("/v1/map").status_code == 200
    index = penult.Index.open(gallery.with_suffix(".index")).remove(ROSES)
    service.sources = replace(service.sources, gallery=index)
    reload(service)
    now = service.served.gallery.collection
    assert now is not ready
    assert now.places.wait(SOON)
    assert len(client.get("/v1/map").json()["ids"]) == len(features) - 3
    assert ready.places.get().method == "tsne"  # whoever has begun with it goes on

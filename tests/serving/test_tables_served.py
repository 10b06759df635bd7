"""A gallery in a table of a database: served as its file is, growing, and breaking."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from memory_tables import fill
from serving_client import Client, photo, refused

import penult
from penult.serving.app import create_app
from penult.serving.gallery import held
from penult.serving.labels.log import LabelLog
from penult.serving.reloading import reload

pytestmark = pytest.mark.light

PHOTO = photo((180, 40, 60))


@pytest.fixture
def table(memory_tables, gallery):
    """The address of a table of `gallery`."""
    return memory_tables.push(gallery, "flowers")


@pytest.fixture
def log(tmp_path):
    with LabelLog(tmp_path / "said.jsonl") as opened:
        yield opened


@pytest.fixture
def service(serve, table, tmp_path, log):
    return serve(gallery=table, images=(tmp_path / "images",), label_log=log)


def known(answer):
    """An answer without what says which file it is of."""
    assert answer.status_code == 200, answer.text
    told = answer.json()
    told.pop("model", None)
    return told


def grow(memory_tables, table, toy, tmp_path):
    """Push what is in the folder by now."""
    penult.extract(tmp_path / "images", tmp_path / "more.h5", model=toy, progress=False)
    fill(memory_tables.tables[table], tmp_path / "more.h5")


def test_a_table_answers_as_its_file_does(client, serve, gallery, table):
    of_file = Client(create_app(serve(gallery=gallery)))
    row = {"row": penult.load(gallery).features[4].tolist()}
    for path, sent in [
        ("/v1/search?k=4", {"content": PHOTO}),
        ("/v1/search?k=4&filter=label=daisy&filter=label=tulip", {"content": PHOTO}),
        ("/v1/search?k=9&offset=2&id=rose/0.png", {}),
        ("/v1/search?filter=id=rose/*", {"json": row}),
        ("/v1/features", {"content": PHOTO}),
        ("/v1/classify", {"content": PHOTO}),
    ]:
        assert known(client.post(path, **sent)) == known(of_file.post(path, **sent)), path
    for path in ("/v1/gallery/rows?label=rose&limit=2", "/v1/thumbnails/rose/1.png"):
        assert client.get(path).content == of_file.get(path).content, path
    told, expected = (known(one.get("/v1/gallery")) for one in (client, of_file))
    assert told.pop("name") == "flowers"  # and not where the database is
    assert {**told, "name": "gallery.h5"} == expected
    for answer in (
        refused(client.post("/v1/search?filter=label=ros", content=PHOTO), 422, "in flowers; did"),
        refused(client.post("/v1/search?id=rose/9.png"), 404, "rose/9.png", "in flowers; did"),
    ):
        assert table not in answer["detail"]


def test_labels_are_corrected_over_a_table(client):
    answer = client.put("/v1/labels/rose/0.png", json={"label": "tulip"})
    assert answer.status_code == 200
    hits = client.post("/v1/search?id=rose/1.png&k=2").json()["hits"]
    assert {one["id"]: one["label"] for one in hits}["rose/0.png"] == "tulip"


def test_rows_that_are_pushed_while_it_is_served_are_found_at_once_and_listed_after_a_reload(
    serve, memory_tables, table, toy, tmp_path
):
    (tmp_path / "images" / "rose" / "new.png").write_bytes(photo((0, 90, 200)))
    service = serve(gallery=table, images=(tmp_path / "images",))
    client, asked = Client(create_app(service)), {"content": photo((0, 80, 190))}
    refused(client.get("/v1/thumbnails/rose/new.png"), 404, "no image of the id")
    grow(memory_tables, table, toy, tmp_path)
    hit = client.post("/v1/search?k=1", **asked).json()["hits"][0]
    assert (hit["id"], hit["label"]) == ("rose/new.png", "rose")
    assert client.get("/v1/thumbnails/rose/new.png").status_code == 200
    assert client.get("/v1/gallery/rows").json()["total"] == 9
    before = service.served.version
    assert reload(service).version != before
    assert client.get("/v1/gallery/rows").json()["total"] == 10


def test_a_database_that_breaks_is_503_and_told_by_readyz_and_answers_again(
    client, table, memory_tables, caplog
):
    there = memory_tables.tables[table]

    def gone(*_, **__):
        raise penult.DatabaseError(f"{table} cannot be reached: the cable is cut")

    assert client.get("/readyz").status_code == 200
    there.nearest = there.known = there.take = gone
    for answer in (
        client.post("/v1/search", content=PHOTO),
        client.post("/v1/search?id=rose/0.png"),
        client.post("/v1/classify", content=PHOTO),
        client.get("/readyz"),
    ):
        refused(answer, 503, "database", "Ask again in 5 s")
        assert answer.headers["retry-after"] == "5"
        assert "flowers" not in answer.text
    assert "the cable is cut" in caplog.text
    there.info = gone
    refused(client.post("/v1/reload"), 409, "served still: the database that has the gallery")
    del there.info
    assert client.get("/healthz").status_code == 200
    assert client.get("/v1/thumbnails/rose/1.png").status_code == 200  # which asks no database
    for name in ("nearest", "known", "take"):
        delattr(there, name)
    assert client.get("/readyz").status_code == 200
    assert len(client.post("/v1/search?k=3", content=PHOTO).json()["hits"]) == 3


def test_of_a_large_table_the_routes_that_need_all_rows_say_why_they_do_not_answer(
    serve, table, tmp_path, log, monkeypatch
):
    monkeypatch.setattr(held, "MOST_ROWS", 8)
    service = serve(gallery=table, images=(tmp_path / "images",), label_log=log)
    client = Client(create_app(service))
    assert [one["id"] for one in client.post("/v1/search?id=rose/0.png&k=2").json()["hits"]] == [
        "rose/1.png", "rose/2.png",
    ]  # fmt: skip
    assert client.post("/v1/classify", content=PHOTO).json()["label"] == "rose"
    assert client.get("/v1/thumbnails/rose/1.png").status_code == 200
    refused(client.get("/v1/thumbnails/rose/9.png"), 404, "rose/9.png")
    told = client.get("/v1/gallery").json()
    assert told["images"] == 9
    assert told["labels"] == [{"label": one, "images": 3} for one in ("daisy", "rose", "tulip")]
    assert (told["unlabelled"], told["clusters"], told["has_images"]) == (0, None, True)
    for path in ("/v1/map", "/v1/review", "/v1/gallery/rows", "/v1/labels", "/v1/map/page"):
        refused(client.get(path), 404, "a table of 9 rows in a database", "8 at most")
    refused(client.put("/v1/labels/rose/0.png", json={"label": "tulip"}), 404, "penult pull")


def test_a_table_without_a_place_for_labels_is_served_all_the_same(serve, table):
    client = Client(create_app(serve(gallery=table)))
    refused(client.put("/v1/labels/rose/0.png", json={"label": "tulip"}), 403, "keeps no log")


def test_features_of_a_table_are_those_of_its_file(memory_tables, table, gallery):
    from penult.retrieve.search.table_gallery import open_table_gallery

    opened = open_table_gallery(table, layer=None, metric=None)
    ours, theirs = opened.all_features(), penult.load(gallery)
    assert np.array_equal(ours.features, theirs.features[:])
    for name in ("ids", "label_names", "recipe", "origin", "content", "splits", "name"):
        mine, its = getattr(ours, name), getattr(theirs, name)
        assert (list(mine) == list(its)) if name in ("ids", "content") else mine == its, name
    assert np.array_equal(ours.labels, theirs.labels)


@pytest.mark.parametrize("most_rows", [held.MOST_ROWS, 3])
def test_an_image_of_the_gallery_does_not_vote_on_itself(
    serve, memory_tables, toy, tmp_path, monkeypatch, most_rows
):
    """As in `penult search --vote`; by its bytes, also of a table too large to be held."""
    monkeypatch.setattr(held, "MOST_ROWS", most_rows)
    images = tmp_path / "mixed"
    for name, colour in [("a/1", 100), ("b/1", 101), ("b/2", 102), ("b/3", 103)]:
        path = images / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(photo((colour, 20, 20)))
    rows = tmp_path / "mixed.h5"
    penult.extract(images, rows, model=toy, progress=False)
    own = (images / "a" / "1.png").read_bytes()
    (searched,) = penult.search(rows, images / "a" / "1.png", vote=True, progress=False)
    assert searched.vote.label == "b"
    assert [hit.id for hit in searched.hits] == ["b/1.png", "b/2.png", "b/3.png"]
    for gallery in (rows, memory_tables.push(rows, "mixed")):
        client = Client(create_app(serve(gallery=gallery)))
        told = client.post("/v1/classify", content=own).json()
        assert (told["label"], told["probability"]) == ("b", 1.0)
        # A search finds it, and names it; its vote is that of the others.
        found = client.post("/v1/search?k=3", content=own).json()
        assert [hit["id"] for hit in found["hits"]] == ["a/1.png", "b/1.png", "b/2.png"]
        assert (found["exact_copy"], found["vote"]["label"]) == ("a/1.png", "b")
        # Of other bytes, it is another photo.
        other = client.post("/v1/classify", content=photo((100, 20, 20), kind="BMP")).json()
        assert other["label"] == "a"
        several = [("file", ("a.png", own)), ("file", ("b.png", photo((102, 20, 20))))]
        answers = client.post("/v1/classify", files=several).json()["photos"]
        assert [one["label"] for one in answers] == ["b", "b"]


def test_a_database_that_has_stopped_without_a_word_takes_one_thread_of_readyz(
    client, table, memory_tables, monkeypatch
):
    from penult.serving.routes import health

    monkeypatch.setattr(health, "PATIENCE", 0.05)
    there, asked, goes_on = memory_tables.tables[table], [], threading.Event()
    answer = there.known

    def known(ids):
        asked.append(ids)
        goes_on.wait(20)
        return answer(ids)

    there.known = known
    for _ in range(3):
        refused(client.get("/readyz"), 503, "the database that has the gallery does not answer")
    assert len(asked) == 1
    goes_on.set()
    for _ in range(100):
        if client.get("/readyz").status_code == 200:
            break
    assert client.get("/readyz").status_code == 200

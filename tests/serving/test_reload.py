"""Files that are replaced while they are served: a switch of all at once, or of nothing."""

from __future__ import annotations

import asyncio
import shutil
from concurrent.futures import Future

import httpx
import numpy as np
import pytest
from serving_client import COLOURS, Client, photo, refused

import penult
from penult.retrieve.index_file import container
from penult.retrieve.search.opening import open_gallery
from penult.serving.app import create_app

pytestmark = pytest.mark.light

ROSE = photo(COLOURS["rose"])


def replace(gallery, tmp_path, toy, **options) -> None:
    """Write the gallery's file anew, of the roses alone."""
    other = tmp_path / "other.h5"
    penult.extract(tmp_path / "images" / "rose", other, model=toy, progress=False, **options)
    other.replace(gallery)


def test_a_gallery_that_was_replaced_is_served_from_then_on(client, gallery, tmp_path, toy):
    before = client.get("/v1/gallery").json()
    replace(gallery, tmp_path, toy)
    assert client.get("/v1/gallery").json() == before
    version = client.post("/v1/reload").json()["version"]
    after = client.get("/v1/gallery").json()
    assert (before["images"], after["images"]) == (9, 3)
    assert after["version"] == version != before["version"]


def test_the_same_content_is_the_same_version(client, gallery, tmp_path):
    before = client.get("/v1/gallery").json()["version"]
    shutil.copy(gallery, tmp_path / "copy.h5")
    (tmp_path / "copy.h5").replace(gallery)
    assert client.post("/v1/reload").json()["version"] == before


def test_a_broken_file_leaves_what_was_served(client, gallery):
    before = client.get("/v1/gallery").json()
    gallery.unlink()
    refused(client.post("/v1/reload"), 409, "is served still", "gallery.h5")
    gallery.write_bytes(b"broken")
    refused(client.post("/v1/reload"), 409, "is served still", "gallery.h5")
    assert client.get("/v1/gallery").json() == before
    assert client.post("/v1/search?k=1", content=ROSE).status_code == 200


def test_a_request_keeps_what_it_began_with(client, service, gallery, tmp_path, toy, monkeypatch):
    replace(gallery, tmp_path, toy, layer="logits")
    held: list[tuple[Future, list]] = []
    submit = service.queue.submit

    def later(records, lane):
        held.append((Future(), submit(records, lane)))
        return [held[-1][0]]

    monkeypatch.setattr(service.queue, "submit", later)

    async def run():
        transport = httpx.ASGITransport(client.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as it:
            searching = asyncio.ensure_future(it.post("/v1/search?k=9", content=ROSE))
            while not held:
                await asyncio.sleep(0.01)
            new = await it.post("/v1/reload")
            held[0][0].set_result(held[0][1][0].result(20))
            return (await searching).json(), new.json()

    found, new = asyncio.run(run())
    assert len(found["hits"]) == 9
    assert found["model"]["version"] != new["version"]
    assert client.get("/v1/gallery").json()["images"] == 3


def test_a_classifier_that_says_something_else_is_another_version(
    serve, classifier, photos, tmp_path
):
    client = Client(create_app(serve(classifier=classifier)))
    first = client.post("/v1/classify", content=ROSE).json()["model"]["version"]
    assert client.post("/v1/reload").json()["version"] == first
    rows = penult.load(tmp_path / "photos.h5")
    penult.train(rows, classifier, classifier="knn", overwrite=True, progress=False)
    assert client.post("/v1/reload").json()["version"] != first
    assert client.post("/v1/classify", content=ROSE).json()["model"]["version"] != first


def test_a_gallery_that_was_overwritten_in_place_is_read_anew(client, gallery, tmp_path, toy):
    other = tmp_path / "other.h5"
    penult.extract(tmp_path / "images" / "rose", other, model=toy, progress=False)
    whole = gallery.read_bytes()
    before = client.get("/v1/gallery").json()
    for _ in range(2):
        gallery.write_bytes(other.read_bytes())
        assert client.post("/v1/reload").status_code == 200
        now = client.get("/v1/gallery").json()
        assert (now["images"], [one["label"] for one in now["labels"]]) == (3, [])
        gallery.write_bytes(whole)
        assert client.post("/v1/reload").json()["version"] == before["version"]
    gallery.write_bytes(b"")
    refused(client.post("/v1/reload"), 409, "is served still", "is empty (0 bytes)")
    gallery.write_bytes(b"overwritten with something else" * 1000)
    refused(client.post("/v1/reload"), 409, "is served still", "is not a feature file")


def test_what_was_opened_anew_is_one_line_of_the_log(client, caplog):
    with caplog.at_level("INFO", logger="penult.serving.reloading"):
        client.post("/v1/reload")
    assert caplog.messages == ["penult: reloaded gallery.h5: 9 images"]


def is_mapped(array):
    while array is not None and not isinstance(array, np.memmap):
        array = getattr(array, "base", None)
    return array is not None


def test_an_index_that_is_cut_off_in_place_is_answered_from_until_it_is_loaded(
    serve, gallery, monkeypatch
):
    index = gallery.with_suffix(".index")
    penult.index(gallery, index, kind="flat", progress=False)
    with monkeypatch.context() as patch:
        patch.setattr(container, "free_memory", lambda: 0)  # a large one stays where it is
        assert is_mapped(open_gallery(index, layer=None, metric=None, in_memory=True).index.rows)
    service = serve(gallery=index)
    rows = service.served.gallery.gallery.index
    # Reading what is mapped, and was cut off, would end this process.
    assert not is_mapped(rows.rows)
    assert not is_mapped(rows.lengths)
    client = Client(create_app(service))
    with index.open("r+b") as file:
        file.truncate(1000)
    assert client.post("/v1/search?id=rose/0.png").json()["hits"][0]["label"] == "rose"
    refused(client.post("/v1/reload"), 409, "truncated")
    assert client.post("/v1/search?id=rose/0.png").status_code == 200

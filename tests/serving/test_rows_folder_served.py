"""A folder of rows is served as a feature file is, on this machine and at an address."""

from __future__ import annotations

import logging
import shutil

import pytest
from serving_client import COLOURS, Client, photo

import penult
from penult.errors import PathNotFoundError
from penult.serving.app import create_app
from penult.tasks.serve import _label_log

pytestmark = pytest.mark.light

PLACES = ["folder", pytest.param("address", marks=pytest.mark.needs("fsspec"))]
ROSE = photo(COLOURS["rose"])


def extract(place, images, toy, **options):
    penult.extract(images, place, model=toy, progress=False, **options)
    return place


@pytest.fixture
def folder(gallery, toy):
    """`gallery.rows`, of the photos of `gallery.h5`, two a part."""
    return extract(gallery.with_suffix(".rows"), gallery.parent / "images", toy, part_images=2)


@pytest.fixture
def address(gallery, toy, tmp_path, monkeypatch):
    """The same at an address."""
    import fsspec

    monkeypatch.setenv("PENULT_CACHE", str(tmp_path / "cache"))
    place = f"memory://{tmp_path.name}/gallery.rows"
    yield extract(place, gallery.parent / "images", toy, part_images=2)
    fsspec.filesystem("memory").store.clear()


def hits(client, **search):
    found = client.post("/v1/search?k=3", content=ROSE, **search)
    assert found.status_code == 200, found.text
    return found.json()["hits"]


@pytest.mark.parametrize("place", PLACES)
def test_a_folder_is_served_as_the_file_of_its_rows(serve, client, place, request):
    served = Client(create_app(serve(gallery=request.getfixturevalue(place))))
    assert served.get("/v1/gallery").json()["name"] == "gallery.rows"
    assert hits(served) == hits(client)


@pytest.mark.parametrize("place", PLACES)
def test_an_update_is_served_once_it_is_asked_for(serve, gallery, toy, place, request):
    place, images = request.getfixturevalue(place), gallery.parent / "images"
    client = Client(create_app(serve(gallery=place)))
    before = hits(client)
    assert [one["id"] for one in before] == ["rose/0.png", "rose/1.png", "rose/2.png"]
    shutil.rmtree(images / "daisy")
    extract(place, images, toy, update=True)
    shutil.rmtree(gallery.parent / "cache", ignore_errors=True)  # as if others needed the room
    assert hits(client) == before  # although its parts are gone
    assert client.get("/v1/gallery").json()["images"] == 9
    assert client.post("/v1/reload").status_code == 200
    assert client.get("/v1/gallery").json()["images"] == 6
    assert hits(client) == before


def test_labels_are_kept_beside_a_folder_and_nowhere_of_an_address(folder, caplog):
    for given in (folder, f"{folder}/", f"file://{folder}"):
        with _label_log(None, given) as log:
            assert log.path == folder.with_name("gallery.rows.labels.jsonl")
    with caplog.at_level(logging.WARNING):
        assert _label_log(None, "s3://bucket/photos.rows") is None
    assert "labels cannot be corrected: s3://bucket/photos.rows is no folder" in caplog.text
    assert "label_log=FILE says where else" in caplog.text


def test_a_folder_that_is_not_there_is_said_before_a_log_is_begun(folder):
    with pytest.raises(
        PathNotFoundError, match=r"no such folder of rows: .*; did you mean .*ry\.rows"
    ):
        penult.serve(gallery=folder.with_name("galery.rows"), port=0, progress=False)
    assert not list(folder.parent.glob("galery*"))

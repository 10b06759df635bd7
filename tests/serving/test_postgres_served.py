"""A gallery in PostgreSQL: searched and served as its file is, and when its server has gone."""

from __future__ import annotations

import pytest
from serving_client import Client, photo, refused

import penult
from penult.serving.app import create_app

PHOTO = photo((180, 40, 60))


@pytest.fixture
def table(postgres, gallery):
    """The address of a table of `gallery`, in a database that this test alone has."""
    postgres.run("DROP DATABASE IF EXISTS served WITH (FORCE)")
    postgres.run("CREATE DATABASE served")
    postgres.run("CREATE EXTENSION vector", database="served")
    address = postgres.address("flowers", database="served")
    penult.push(gallery, to=address, index=True, progress=False)
    yield address
    postgres.run("DROP DATABASE served WITH (FORCE)")


def told(found):
    return [one.to_dict() for one in found]


def test_searches_find_what_the_file_s_find(table, gallery, tmp_path):
    for asked in (
        {"queries": gallery, "k": 4, "vote": True},
        {"queries": tmp_path / "images" / "rose", "k": 3, "progress": False},
        {"id": ["rose/0.png"], "metric": "euclidean"},
        {"queries": gallery, "k": 3, "filter": ["id=*/[12].png", "label!=rose"]},
    ):
        assert told(penult.search(table, **asked)) == told(penult.search(gallery, **asked))
    with pytest.raises(penult.UsageError, match=r"unknown label 'ros' .* did you mean rose"):
        penult.search(table, gallery, filter="label=ros")


def test_it_is_served_and_goes_on_when_the_server_comes_back(
    postgres, serve, table, gallery, tmp_path
):
    of_file = Client(create_app(serve(gallery=gallery)))
    client = Client(create_app(serve(gallery=table, images=(tmp_path / "images",))))

    def hits(one):
        return one.post("/v1/search?k=3&filter=label!=daisy", content=PHOTO).json()["hits"]

    assert hits(client) == hits(of_file)
    assert client.post("/v1/classify", content=PHOTO).json()["label"] == "rose"
    assert client.get("/v1/thumbnails/rose/1.png").status_code == 200
    # The connection is cut, and another can be made.
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'served'"
    postgres.run(end)
    assert hits(client) == hits(of_file)
    # It is cut, and none can be made.
    postgres.run("ALTER DATABASE served ALLOW_CONNECTIONS false")
    postgres.run(end)
    for answer in (client.post("/v1/search", content=PHOTO), client.get("/readyz")):
        refused(answer, 503, "the database that has the gallery does not answer", "5 s")
    postgres.run("ALTER DATABASE served ALLOW_CONNECTIONS true")
    assert client.get("/readyz").status_code == 200
    assert hits(client) == hits(of_file)

"""Clusters, map and review of a gallery, worked out beside the requests."""

from __future__ import annotations

import numpy as np
import pytest
from map_rows import blobs
from serving_gallery import Said

import penult
from penult.errors import UsageError
from penult.retrieve.index import Index
from penult.retrieve.search.gallery import Gallery
from penult.serving.gallery import collection as module
from penult.serving.gallery.collection import Collection

pytestmark = pytest.mark.light

SOON = 60


@pytest.fixture
def features():
    return blobs(classes=3, of=6)


@pytest.fixture
def gallery(features):
    return Gallery(Index.of(features), "g.h5")


def test_they_are_what_the_commands_make(features, gallery):
    with Collection(gallery) as collection:
        assert collection.places.wait(SOON)
    clusters = penult.cluster(features, progress=False)
    assert (collection.clusters.get().assignments == clusters.assignments).all()
    assert [collection.cluster_of(k) for k in range(18)] == clusters.assignments.tolist()
    places, drawn = collection.places.get(), penult.map(features, progress=False)
    assert places.rows.tolist() == list(range(18))
    assert np.array_equal(places.xy, drawn.xy)
    assert places.method == "tsne"


def test_a_mistaken_label_is_found_as_it_is_now(gallery):
    wrong = gallery.index.ids[0]
    with Collection(gallery, corrections=Said({wrong: "blob 1"})) as collection:
        assert collection.review.wait(SOON)
    (found,) = collection.review.get().errors
    assert (found.place, found.label, found.suggested) == (0, "blob 1", "blob 0")


def test_the_clusters_are_not_known_before(gallery):
    collection = Collection(gallery)
    assert collection.cluster_of(0) is None
    assert not collection.clusters.is_done


def test_of_a_large_gallery_a_part_is_on_the_map(gallery, monkeypatch):
    monkeypatch.setattr(module, "MOST_ON_MAP", 10)
    places = Collection(gallery).places
    places.run(lambda _: None)
    rows = places.get().rows
    assert len(rows) == len(places.get().xy) == 10
    assert (np.diff(rows) > 0).all()


def test_plain_arrays_have_none_and_say_so():
    plain = Gallery(Index.of(np.eye(3, dtype=np.float32), ["1", "2", "3"]), "plain.index")
    with Collection(plain) as collection:
        assert collection.places.wait(SOON)
    for one in (collection.review, collection.clusters, collection.places):
        with pytest.raises(UsageError, match=r"plain\.index is of plain arrays"):
            one.get()
    assert collection.labels.now().labels == (None, None, None)


def test_one_image_has_neither_clusters_nor_a_map(gallery):
    few = Gallery(gallery.index.remove(list(gallery.index.ids[1:])), "g.h5")
    with Collection(few) as collection:
        assert collection.places.wait(SOON)
    for one, told in (
        (collection.clusters, "clusters need 2"),
        (collection.places, "a map needs 4"),
    ):
        with pytest.raises(UsageError, match=f"^the gallery has 1 image, and {told} or more$"):
            one.get()
    assert collection.review.get().errors == ()

"""`penult.Client` and the service understand each other."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from serving_client import COLOURS, ask, photo

import penult
from penult.client.answers import ClassProbability, LabelSize
from penult.recipe.digest import recipe_sha256

pytestmark = pytest.mark.light

ROSE = photo(COLOURS["rose"])
ROW = np.array(COLOURS["rose"], np.float32) / 255


def test_the_row_of_a_photo_is_the_services(service):
    given = (ROSE, np.full((8, 8, 3), 51, np.uint8), Image.new("RGB", (3, 3), (0, 0, 255)))
    for photo_, row in zip(given, (ROW, [0.2] * 3, [0, 0, 1]), strict=True):
        found = ask(service, lambda client, one=photo_: client.features(one))
        np.testing.assert_allclose(found.features, [row], atol=1e-6)
        assert found.recipe_sha256 == service.served.gallery.recipe_sha256


def test_of_several_photos_one_that_is_none_is_a_failure(service):
    found = ask(service, lambda client: client.features(ROSE, b"nonsense", ROSE))
    np.testing.assert_allclose(found.features, [ROW, ROW], atol=1e-6)
    assert found.photos == (0, 2)
    assert [one.photo for one in found.failures] == [1]
    assert "photo 1: " in found.failures[0].detail


def test_a_classifier_answers_with_its_classes(serve, classifier):
    service = serve(classifier=classifier)
    found = ask(service, lambda client: client.classify(ROSE, top=2))
    assert found.label == "rose"
    assert found.top[0] == ClassProbability("rose", found.probability)
    assert len(found.top) == 2
    assert (found.model.kind, found.model.name) == ("classifier", "flowers.skops")


def test_a_gallery_alone_answers_with_votes(service):
    found = ask(service, lambda client: client.classify(ROSE))
    assert (found.label, found.model.kind) == ("rose", "gallery")


def test_a_photo_an_image_and_its_row_find_the_same(service, gallery, tmp_path):
    path = tmp_path / "images" / "rose" / "0.png"
    recipe = recipe_sha256(penult.load(gallery).recipe)

    async def search(client):
        return [
            await client.search(path, k=3),
            await client.search(row=ROW, recipe_sha256=recipe, k=3),
            await client.search(id="rose/0.png", k=2),
            await client.search(path, k=3, offset=1, filters="label=rose"),
        ]

    by_photo, by_row, by_id, later = ask(service, search)
    ids = ["rose/0.png", "rose/1.png", "rose/2.png"]
    assert [hit.id for hit in by_photo.hits] == ids
    assert [hit.id for hit in by_row.hits] == ids
    assert [hit.id for hit in by_id.hits] == ids[1:]
    assert [hit.id for hit in later.hits] == ids[1:]
    assert by_photo.exact_copy == "rose/0.png"
    assert by_row.exact_copy is None
    assert by_photo.vote.label == "rose"
    assert by_photo.hits[0].similarity == pytest.approx(1)


def test_what_is_served_is_told(service):
    async def told(client):
        return await client.gallery(), await client.reload(), await client.ready()

    gallery, version, is_ready = ask(service, told)
    assert (gallery.name, gallery.images, gallery.width) == ("gallery.h5", 9, 3)
    assert gallery.labels == tuple(LabelSize(label, 3) for label in ("daisy", "rose", "tulip"))
    assert gallery.version == version
    assert is_ready


@pytest.mark.parametrize(
    ("question", "status", "said"),
    [
        (lambda client: client.classify(b"nonsense"), 422, "photo"),
        (lambda client: client.classify(b"PK\x03\x04"), 415, "is a zip archive, not a photo"),
        (lambda client: client.classify("http://127.0.0.1/a.jpg"), 403, "address"),
        (lambda client: client.classify(ROSE, top=0), 422, "top"),
        (lambda client: client.search(id="nowhere.png"), 404, "nowhere.png"),
        (lambda client: client.search(ROSE, k=10**9), 422, "k"),
        (lambda client: client.search(row=ROW, recipe_sha256="ab" * 32), 409, "ab" * 32),
        (lambda client: client.search(row=[1.0, 2.0]), 422, "3"),
    ],
)
def test_what_the_service_refuses_is_said_in_its_words(service, question, status, said):
    with pytest.raises(penult.ServiceError, match=said) as caught:
        ask(service, question)
    assert caught.value.status == status


def test_a_service_that_stops_is_not_ready(service):
    service.is_ready = False
    assert ask(service, lambda client: client.ready()) is False
    assert ask(service, lambda client: client.healthz()) is True

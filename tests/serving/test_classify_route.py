"""`POST /v1/classify`: what `penult predict` says, and the votes of a gallery."""

from __future__ import annotations

import pytest
from serving_client import Client, photo, refused

import penult
from penult.errors import UsageError
from penult.serving.app import create_app

pytestmark = pytest.mark.light

CLASSIFY = "/v1/classify"
ROSE = (170, 20, 40)


@pytest.fixture
def classifying(serve, classifier):
    """A client of a service of `flowers.skops` alone."""
    return Client(create_app(serve(classifier=classifier)))


def test_a_photo_has_the_class_that_penult_predict_says(classifying, classifier, tmp_path):
    (tmp_path / "a.png").write_bytes(photo(ROSE))
    (expected,) = penult.predict(classifier, tmp_path / "a.png", top=3, progress=False)
    answer = classifying.post(f"{CLASSIFY}?top=3", content=photo(ROSE)).json()
    assert answer["label"] == expected.label == "rose"
    assert answer["probability"] == pytest.approx(expected.probability)
    top = [(one["label"], one["probability"]) for one in answer["top"]]
    assert top == [(label, pytest.approx(share)) for label, share in expected.top]
    assert answer["unlike"] is expected.unlike is False
    assert answer["similarity"] == pytest.approx(expected.similarity)
    assert answer["model"]["name"] == "flowers.skops"
    assert answer["model"]["kind"] == "classifier"


def test_a_photo_unlike_all_that_trained_it_is_said_to_be(classifying):
    assert classifying.post(CLASSIFY, content=photo((0, 0, 255))).json()["unlike"] is True


def test_several_photos_have_an_answer_each(classifying):
    files = [
        ("file", photo(ROSE)),
        ("file", ("b.jpg", b"no photo")),
        ("file", photo((240, 180, 30))),
    ]
    answers = classifying.post(CLASSIFY, files=files).json()["photos"]
    assert [one.get("label") for one in answers] == ["rose", None, "tulip"]
    assert answers[1] == {"detail": "b.jpg: " + answers[1]["detail"].partition(": ")[2]}
    alone = classifying.post(CLASSIFY, content=photo(ROSE)).json()
    assert answers[0].keys() == alone.keys()
    # To the last digits only where it shared a batch with the same others, which time decides.
    assert [one["probability"] for one in answers[0]["top"]] == pytest.approx(
        [one["probability"] for one in alone["top"]], rel=1e-4
    )
    assert [one["label"] for one in answers[0]["top"]] == [one["label"] for one in alone["top"]]


def test_where_no_photo_can_be_read_that_is_a_problem(classifying):
    refused(classifying.post(CLASSIFY, content=b"no photo"), 422, "not an image")
    refused(classifying.post(CLASSIFY, files=[("file", b"no photo")] * 2), 422, "not an image")


def test_how_many_classes_are_listed(classifying):
    assert len(classifying.post(f"{CLASSIFY}?top=2", content=photo(ROSE)).json()["top"]) == 2
    assert len(classifying.post(f"{CLASSIFY}?top=900", content=photo(ROSE)).json()["top"]) == 3
    refused(classifying.post(f"{CLASSIFY}?top=0", content=photo(ROSE)), 422, "top")


def test_a_gallery_alone_votes(client):
    answer = client.post(CLASSIFY, content=photo(ROSE)).json()
    assert answer["label"] == "rose"
    assert answer["model"]["kind"] == "gallery"
    assert answer["probability"] == answer["top"][0]["probability"]


def test_a_gallery_without_labels_cannot_vote(serve, toy, gallery, tmp_path):
    rows = penult.extract(tmp_path / "images", model=toy, labels="none", progress=False)
    refused(
        Client(create_app(serve(gallery=rows))).post(CLASSIFY, content=photo(ROSE)),
        404,
        "no gallery with labels",
    )


def test_photos_with_several_labels_have_them_beside_the_most_probable(
    serve, make_features, toy, recipe, tmp_path, photos
):
    table = tmp_path / "labels.csv"
    lines = ["path,label"]
    for path in sorted(photos.rglob("*.jpg")):
        name = path.relative_to(photos).as_posix()
        label = path.parent.name
        lines.append(f"{name},{label}|warm" if label != "daisy" else f"{name},{label}")
    table.write_text("\n".join(lines))
    rows = penult.extract(photos, model=toy, labels=str(table), progress=False)
    model = penult.train(rows, progress=False)
    client = Client(create_app(serve(classifier=model)))
    answer = client.post(CLASSIFY, content=photo(ROSE)).json()
    assert set(answer["labels"]) == {"rose", "warm"}
    assert answer["label"] in answer["labels"]


def test_a_network_that_classifier_and_gallery_share_is_opened_once(serve, classifier, gallery):
    service = serve(classifier=classifier, gallery=gallery)
    assert service.served.classifier.lane is service.served.gallery.lane


def test_networks_that_differ_have_each_its_rows(serve, classifier, toy, tmp_path, gallery):
    penult.extract(
        tmp_path / "images", tmp_path / "logits.h5", model=toy, layer="logits", progress=False
    )
    client = Client(create_app(serve(classifier=classifier, gallery=tmp_path / "logits.h5")))
    assert client.post(CLASSIFY, content=photo(ROSE)).json()["label"] == "rose"
    assert client.post("/v1/search?k=1", content=photo(ROSE)).json()["hits"][0]["label"] == "rose"
    assert len(client.post("/v1/features", content=photo(ROSE)).json()["features"][0]) == 2


@pytest.mark.parametrize(("unlike", "marked"), [("off", False), (1.0, True), (-1.0, False)])
def test_what_is_unlike_is_what_the_operator_says(serve, classifier, gallery, unlike, marked):
    model = Client(create_app(serve(classifier=classifier, unlike=unlike)))
    votes = Client(create_app(serve(gallery=gallery, unlike=unlike)))
    for client in (model, votes):
        answer = client.post(CLASSIFY, content=photo((90, 90, 90))).json()
        assert answer["unlike"] is marked
        assert (answer["similarity"] is None) == (unlike == "off")


def test_how_many_classes_are_listed_where_a_request_does_not_say(serve, classifier):
    client = Client(create_app(serve(classifier=classifier, top=2)))
    assert len(client.post(CLASSIFY, content=photo(ROSE)).json()["top"]) == 2


def test_a_level_that_there_cannot_be_is_one_line(serve, classifier):
    with pytest.raises(UsageError, match=r"unlike=2 is no similarity; give auto, off, or"):
        serve(classifier=classifier, unlike=2)


def test_a_photo_whose_row_is_all_zeros_has_no_class_and_others_beside_it_have(client):
    black = ("black.png", photo((0, 0, 0)))
    refused(client.post(CLASSIFY, content=black[1]), 422, "the photo has no class: ")
    files = [("file", black), ("file", ("rose.png", photo(ROSE)))]
    answers = client.post(CLASSIFY, files=files).json()["photos"]
    assert [one.get("label") for one in answers] == [None, "rose"]
    assert "all zeros" in answers[0]["detail"]

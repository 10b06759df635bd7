"""Pictures of where a classifier found the class that it took a photo for."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

import penult
from penult.extractor import EngineOptions
from penult.records import HeldOut
from penult.reporting.classified import Classified
from penult.reporting.steps import evidence
from penult.reporting.steps.course import Course

pytestmark = pytest.mark.light


def half(left, right):
    """A picture of two colours, side by side."""
    pixels = np.zeros((8, 8, 3), np.uint8)
    pixels[:, :4], pixels[:, 4:] = left, right
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


RED, BLUE = (255, 0, 0), (0, 0, 255)
PHOTOS = {f"red/{k}.png": half((255 - k, 0, 0), (255 - k, 0, 0)) for k in range(6)}
PHOTOS |= {f"blue/{k}.png": half((0, 0, 255 - k), (0, 0, 255 - k)) for k in range(6)}
PHOTOS["blue/half.png"] = half(RED, BLUE)


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    folder = tmp_path_factory.mktemp("halves")
    for name, data in PHOTOS.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def drawn(features, classifier, wrong, open_image=PHOTOS.get):
    """What is drawn of photos that are blue, and were called red; and what was noted."""
    (pictures, _), notes = drawn_with_names(features, classifier, wrong, open_image)
    return pictures, notes


def drawn_with_names(features, classifier, wrong, open_image=PHOTOS.get):
    made = Classified(
        features=features,
        classifier=classifier,
        held_out=HeldOut(
            ids=wrong,
            truth=["blue"] * len(wrong),
            predicted=["red"] * len(wrong),
            probability=[0.9] * len(wrong),
        ),
    )
    course = Course(lambda _: None)
    found = evidence.draw_evidence(
        made,
        course,
        open_image=open_image,
        weights=None,
        offline=True,
        engine=EngineOptions(engine="auto", device="auto"),
    )
    return found, course.notes


def test_the_red_half_of_a_picture_that_was_called_red_is_violet(toy, rows):
    features = penult.extract(rows, model=toy, progress=False)
    classifier = penult.train(features, scale="none", test_size=0.25, folds=2, progress=False)
    pictures, notes = drawn(features, classifier, ["blue/half.png"])
    assert notes == {}
    address = pictures["blue/half.png"]
    with Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))) as image:
        red, green, blue = np.asarray(image.convert("RGB"), int)[image.height // 2, [20, -20]].T
    # Violet speaks for the class, orange against it.
    assert blue[0] > red[0] > green[0]
    assert red[1] > green[1] > blue[1]


def test_of_joined_rows_each_has_its_map_side_by_side_in_the_same_colours(toy, rows):
    features = penult.extract(
        rows, model=toy, layer=["penultimate", "pixels"], join=True, progress=False
    )
    classifier = penult.train(features, scale="none", test_size=0.25, folds=2, progress=False)
    (pictures, names), _ = drawn_with_names(features, classifier, ["blue/half.png"])
    assert len(names) == len(set(names)) == 2
    data = base64.b64decode(pictures["blue/half.png"].partition(",")[2])
    with Image.open(io.BytesIO(data)) as image:
        assert image.size == (2 * 320 + 8, 320)
        pixels = np.asarray(image.convert("RGB"), int)[160]
    assert pixels[324].min() > 220, "white between them"
    for red, green, blue in pixels[[60, 388]]:
        assert blue > red > green
    for red, green, blue in pixels[[240, 568]]:
        assert red > green > blue


def test_a_photo_that_is_gone_costs_its_picture_alone(toy, rows):
    features = penult.extract(rows, model=toy, progress=False)
    classifier = penult.train(features, scale="none", test_size=0.25, folds=2, progress=False)
    some = {**PHOTOS, "blue/0.png": None, "blue/1.png": b"no picture"}
    pictures, notes = drawn(
        features, classifier, ["blue/half.png", "blue/0.png", "blue/1.png"], some.get
    )
    assert [*pictures] == ["blue/half.png"]
    assert notes == {}


def test_of_a_classifier_that_is_not_linear_it_is_said_why_there_are_none(toy, rows):
    features = penult.extract(rows, model=toy, progress=False)
    classifier = penult.train(features, classifier="knn", test_size=0.25, folds=2, progress=False)
    pictures, notes = drawn(features, classifier, ["blue/half.png"])
    assert pictures == {}
    assert "knn" in notes["evidence"]


def test_no_more_than_the_most_confident_are_drawn(toy, rows, monkeypatch):
    monkeypatch.setattr(evidence, "MOST_MISTAKES", 1)
    features = penult.extract(rows, model=toy, progress=False)
    classifier = penult.train(features, scale="none", test_size=0.25, folds=2, progress=False)
    pictures, _ = drawn(features, classifier, ["blue/half.png", "blue/0.png"])
    assert [*pictures] == ["blue/0.png"]  # as confident, and first by its name

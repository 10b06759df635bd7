"""Files of earlier versions open and give what they gave: see tests/old_files/README.md."""

from __future__ import annotations

import dataclasses
import gzip
import json
import sys
from pathlib import Path

import numpy as np
import pytest

import penult
from penult.backbones.checkpoint import read_checkpoint
from penult.cli import main
from penult.engines.agreement import cosines
from penult.engines.base import TOLERANCE

HERE = Path(__file__).with_name("old_files")
VERSIONS = sorted(path.name for path in HERE.iterdir() if path.is_dir() and path.name[0].isdigit())
CLASSIFIERS = ["logistic", "svm", "ridge", "knn", "forest", "centroid", "several"]

pytestmark = pytest.mark.usefixtures("tiny")


@pytest.fixture(scope="module", params=VERSIONS)
def old(request, tmp_path_factory) -> Path:
    """The unpacked files of one version; its photos are in `photos`."""
    folder = tmp_path_factory.mktemp(f"old-{request.param}")
    for path in (HERE / request.param).glob("*.gz"):
        (folder / path.stem).write_bytes(gzip.decompress(path.read_bytes()))
    for name in ("photos", "described.json", "expected.npz"):
        (folder / name).symlink_to(HERE / request.param / name)
    return folder


@pytest.fixture(scope="module")
def expected(old):
    with np.load(old / "expected.npz") as stored:
        return dict(stored)


@pytest.fixture(scope="module")
def described(old):
    return json.loads((old / "described.json").read_text())


def distance(today: penult.Features, stored: np.ndarray) -> float:
    rows = today.features[:]
    return (np.linalg.norm(rows - stored, axis=1) / np.linalg.norm(stored, axis=1)).max()


def test_a_feature_file_has_the_same_rows_and_columns(old, expected):
    features = penult.load(old / "features.h5")
    assert features.layers == ("maps", "penultimate")
    for layer in features.layers:
        rows = penult.load(old / "features.h5", layer).features[:]
        assert np.array_equal(rows, expected[f"features.h5 {layer}"])
    for name in ("ids", "targets", "splits", "groups"):
        assert np.array_equal(getattr(features, name), expected[name]), name
    assert [failure.id for failure in features.failures] == ["damaged.png"]


def test_the_images_of_a_feature_file_give_its_rows_and_its_recipe(old, tiny):
    stored = penult.load(old / "features.h5")
    today = penult.extract(old / "photos" / "several.csv", model=tiny)
    assert today.recipe == stored.recipe
    assert today.ids == stored.ids
    assert distance(today, stored.features[:]) < TOLERANCE


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_classifier_gives_the_same_probabilities(old, expected, name):
    classifier = penult.load_classifier(old / f"{name}.skops")
    rows = penult.load(old / "features.h5").features[:]
    ours = classifier.predict_features(rows)
    np.testing.assert_allclose(ours, expected[f"{name}.skops"], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", ["logistic", "several"])
def test_a_classifier_says_the_same_of_photos(old, expected, name):
    classifier = penult.load_classifier(old / f"{name}.skops")
    table = "several.csv" if name == "several" else "single.csv"
    given = list(classifier.predict(old / "photos" / table, top=2))
    ours = [dict(photo.top) for photo in given if isinstance(photo, penult.Prediction)]
    ours = [[photo[label] for label in ("iris", "poppy")] for photo in ours]
    np.testing.assert_allclose(ours, expected[f"{name}.skops"], rtol=1e-2)


def test_a_classifier_knows_the_images_that_trained_it(old):
    classifier = penult.load_classifier(old / "several.skops")
    found = penult.evaluate(classifier, old / "features.h5")
    assert (len(found.images.ids), found.trained) == (24, 16)


def test_a_checkpoint_opens_as_the_same_backbone(old, expected, described):
    path = old / "tuned.ckpt"
    today = penult.extract(old / "photos" / "single.csv", model=str(path))
    assert distance(today, expected["tuned.ckpt"]) < TOLERANCE
    assert today.recipe == penult.Recipe.from_json(str(expected["tuned.ckpt recipe"]))
    checkpoint = read_checkpoint(path)
    settings = dataclasses.asdict(checkpoint) | {
        "preprocessing": checkpoint.preprocessing.to_dict()
    }
    assert json.loads(json.dumps(settings)) == described[path.name]


def test_an_int8_checkpoint_opens_as_the_same_backbone(old, expected):
    today = penult.extract(old / "photos" / "single.csv", model=str(old / "int8.ckpt"))
    # Rows of int8 differ a little from processor to processor.
    assert cosines(today.features[:], expected["int8.ckpt"]).min() > 0.99
    assert today.recipe == penult.Recipe.from_json(str(expected["int8.ckpt recipe"]))


def as_then(now, then):
    """Put what is told now into the shape of then, whose classes were names, or numbers by name."""
    if isinstance(then, dict) and isinstance(now, list):
        now = {one["label"]: one["images"] for one in now}
    if isinstance(then, dict):
        return {key: as_then(now.get(key), value) for key, value in then.items()}
    if isinstance(then, list) and then and isinstance(then[0], str):
        return [one["label"] if isinstance(one, dict) else one for one in now]
    if isinstance(then, list):
        return [as_then(*pair) for pair in zip(now, then, strict=True)]
    return now


@pytest.mark.parametrize(
    "name", ["features.h5", "int8.ckpt", *(f"{name}.skops" for name in CLASSIFIERS)]
)
def test_info_says_the_same(old, described, name, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["penult", "info", str(old / name), "--json"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    told = json.loads(capsys.readouterr().out)  # and more, in a later version
    assert as_then(told, described[name]) == described[name]

"""Rows of a bundled network made by way of torch, before it was written for OpenVINO, go on with today's."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

import numpy as np
import pytest

import penult
from penult.engines.base import TOLERANCE

OLD = Path(__file__).with_name("old_files")

pytestmark = pytest.mark.light


@pytest.fixture(scope="module")
def before(tmp_path_factory) -> Path:
    """A folder with photos, and the `lite0.h5` and `lite0.skops` that were made of them."""
    folder = tmp_path_factory.mktemp("torch")
    for path in (OLD / "torch").glob("*.gz"):
        (folder / path.stem).write_bytes(gzip.decompress(path.read_bytes()))
    shutil.copytree(OLD / "0.1.0" / "photos", folder / "photos")
    return folder


@pytest.fixture(scope="module")
def today(before) -> penult.Features:
    return penult.extract(before / "photos" / "single.csv", before / "today.h5")


def test_the_recipe_is_the_same_and_the_rows_are_within_the_tolerance(before, today):
    stored = penult.load(before / "lite0.h5")
    assert stored.recipe == today.recipe
    assert "torch" in stored.recipe.versions
    ours, theirs = today.features[:], stored.features[:]
    errors = np.linalg.norm(ours - theirs, axis=1) / np.linalg.norm(theirs, axis=1)
    assert errors.max() <= TOLERANCE


@pytest.mark.parametrize("name", ["lite0.h5", "today.h5"])
def test_verify_passes_on_both(before, today, name):
    assert penult.verify(before / name, images=before / "photos", sample=5).passed


def test_a_classifier_of_either_takes_the_rows_of_both(before, today):
    photo = before / "photos" / "00.png"
    for classifier in (before / "lite0.skops", penult.train(today, classifier="centroid")):
        for rows in (before / "lite0.h5", before / "today.h5"):
            assert penult.evaluate(classifier, rows).scores.accuracy == 1
        (prediction,) = penult.predict(classifier, photo)
        assert prediction.label == "iris"


def test_an_update_keeps_the_rows_that_torch_made(before):
    shutil.copy(before / "lite0.h5", before / "updated.h5")
    features = penult.extract(before / "photos" / "single.csv", before / "updated.h5", update=True)
    np.testing.assert_array_equal(
        features.features[:], penult.load(before / "lite0.h5").features[:]
    )

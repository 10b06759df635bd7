"""``penult export``."""

from __future__ import annotations

import json
import re

import pytest


@pytest.fixture
def classifier(penult, photos, toy, tmp_path):
    features, path = tmp_path / "features.h5", tmp_path / "flowers.skops"
    assert penult("extract", photos, "-o", features, "--model", toy, "--quiet").code == 0
    assert penult("train", features, "-o", path, "-q").code == 0
    return path


def test_export_says_what_the_graph_takes_and_gives(penult, classifier, tmp_path):
    done = penult("export", classifier, "-o", tmp_path / "m.onnx")
    assert done.code == 0, done
    assert "toy:mean-colour and a classifier of 3 classes" in done.out
    assert "images, uint8 (N, 8, 8, 3) RGB" in done.out
    (rows, probabilities) = re.findall(r"(?:at most|by) ([\d.e-]+) \(", done.out)
    assert float(rows) < 1e-6  # the mean of three colours
    assert float(probabilities) < 1e-5
    again = penult("export", classifier, "-o", tmp_path / "m.onnx")
    assert again.code == 2
    assert "--overwrite" in again.err
    told = penult("export", classifier, "-o", tmp_path / "m.onnx", "--overwrite", "--json").out
    assert [one["label"] for one in json.loads(told)["classes"]] == ["daisy", "rose", "tulip"]
    assert json.loads(told)["row_difference"] == pytest.approx(float(rows), rel=0.5)
    assert json.loads(told)["bytes"] == (tmp_path / "m.onnx").stat().st_size


def test_a_feature_file_is_no_classifier_to_export(penult, classifier, tmp_path):
    done = penult("export", tmp_path / "features.h5", "-o", tmp_path / "m.onnx")
    assert done.code == 2
    assert "is a feature file, not a classifier" in done.err
    assert not (tmp_path / "m.onnx").exists()

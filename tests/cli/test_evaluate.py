"""``penult evaluate``: on files of several layers, and its results as files."""

from __future__ import annotations

import json


def test_a_file_of_several_layers_is_read_at_the_classifiers_own(penult, photos, toy, tmp_path):
    one, several, model = tmp_path / "one.h5", tmp_path / "several.h5", tmp_path / "c.skops"
    assert penult("extract", photos, "-o", one, "-m", toy, "-l", "mean", "-q").code == 0
    call = ("extract", photos, "-o", several, "-m", toy, "-l", "mean", "-l", "logits", "-q")
    assert penult(*call).code == 0
    assert penult("train", one, "-o", model, "-q").code == 0
    done = penult("evaluate", model, several, "--results", tmp_path / "r", "--json")
    assert done.code == 0, done
    told = json.loads(done.out)
    assert told["scores"]["images"] == 36
    assert told["scores"]["split"] == f"all of {several}"
    assert sorted(p.name for p in (tmp_path / "r").iterdir()) == [
        "confusion_matrix.png",
        "scores.json",
    ]
    again = penult("evaluate", model, several, "--results", tmp_path / "r")
    assert again.code == 2
    assert "--overwrite" in again.err


def test_photos_become_rows_by_the_recipe_and_failures_are_told(penult, photos, toy, tmp_path):
    features, model = tmp_path / "f.h5", tmp_path / "c.skops"
    call = ("extract", photos, "-o", features, "-m", toy, "-l", "pixels", "--pool", "max", "-q")
    assert penult(*call, "--normalize", "l2").code == 0
    assert penult("train", features, "-o", model, "-q").code == 0
    (photos / "rose" / "bad.jpg").touch()
    done = penult("evaluate", model, photos, "-q")
    assert done.code == 0, done
    assert f"on 36 images (all of {photos})" in done.out
    assert "1 of 37 images could not be read" in done.out

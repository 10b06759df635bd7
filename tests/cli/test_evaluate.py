"""``penult evaluate``: on files of several layers, and its results as files."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from penult.classify.loading import load_classifier
from penult.tasks.evaluate import evaluate

pytestmark = pytest.mark.light


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
        "held_out.csv",
        "scores.json",
    ]
    again = penult("evaluate", model, several, "--results", tmp_path / "r")
    assert again.code == 2
    assert "--overwrite" in again.err


def test_a_class_of_which_no_image_was_scored_has_dashes(penult, photos, toy, tmp_path):
    features, model = tmp_path / "f.h5", tmp_path / "c.skops"
    assert penult("extract", photos, "-o", features, "-m", toy, "-q").code == 0
    assert penult("train", features, "-o", model, "-q").code == 0
    for photo in (photos / "rose").iterdir():
        photo.unlink()
    done = penult("evaluate", model, photos, "-q")
    assert re.search(r"rose +– +– +– +0\n", done.out)
    page = evaluate(model, photos)._repr_html_()
    assert page.count(">–</td>") == 2 * 3  # among all, and among those that did not train it
    assert page.index(">tulip</td>") < page.index(">rose</td>")  # not the lowest F1


def test_photos_become_rows_by_the_recipe_and_failures_are_told(penult, photos, toy, tmp_path):
    features, model = tmp_path / "f.h5", tmp_path / "c.skops"
    call = ("extract", photos, "-o", features, "-m", toy, "-l", "pixels", "--pooling", "max", "-q")
    assert penult(*call, "--normalize", "l2").code == 0
    assert penult("train", features, "-o", model, "-q").code == 0
    (photos / "rose" / "bad.jpg").touch()
    done = penult("evaluate", model, photos, "-q")
    assert done.code == 0, done
    assert f"on 36 images (all of {photos})" in done.out
    assert "1 of 37 images could not be read" in done.out
    options = ("--on-error", "fail", "--batch-size", 2, "--workers", 1)
    done = penult("evaluate", model, photos, "-q", *options)
    assert (done.code, "rose/bad.jpg: " in done.err) == (1, True)


def test_photos_that_trained_it_are_told_and_the_others_scored_apart(penult, photos, toy, tmp_path):
    features, model = tmp_path / "f.h5", tmp_path / "c.skops"
    assert penult("extract", photos, "-o", features, "-m", toy, "-l", "mean", "-q").code == 0
    assert penult("train", features, "-o", model, "-q").code == 0
    for data in (features, photos):
        done = penult("evaluate", model, data, "-q")
        lines = done.out.splitlines()
        (warned,) = (k for k, line in enumerate(lines) if line.startswith("27 of 36 images"))
        assert lines[warned].endswith(
            "trained this classifier, so this is no estimate for new ones:"
        )
        assert warned == 0  # before any number
        (score,) = (line for line in lines if line.startswith("accuracy 100% on 36 images"))
        assert "interval" not in score
        assert "accuracy 100% on 9 images (those that did not train it)" in done.out
    done = penult("evaluate", model, photos, "--json", "-q", "--results", tmp_path / "r")
    for told in (json.loads(done.out), json.loads((tmp_path / "r" / "scores.json").read_text())):
        assert (told["trained"], told["apart"]["images"]) == (27, 9)
        assert told["apart"]["interval"][1] == 1
        assert told.get("scores", told).get("interval") is None
    # Held out by training, and renamed: none of these has been seen.
    for number, name in enumerate(load_classifier(model).held_out.ids):
        new = tmp_path / "new" / name.split("/")[0] / f"{number}.jpg"
        new.parent.mkdir(parents=True, exist_ok=True)
        (photos / name).rename(new)
    assert "trained this classifier" not in penult("evaluate", model, tmp_path / "new", "-q").out
    assert "all of 27 images trained" in penult("evaluate", model, photos, "-q").out


def test_a_classifier_without_digests_says_that_it_cannot_know(penult, photos, toy, tmp_path):
    features, model = tmp_path / "f.h5", tmp_path / "c.skops"
    assert penult("extract", photos, "-o", features, "-m", toy, "-l", "mean", "-q").code == 0
    assert penult("train", features, "-o", model, "-q").code == 0
    old = replace(load_classifier(model), trained_on=None)
    old.save(model, overwrite=True)
    said = "whether they trained this classifier is not known: its file has no digests"
    assert said in penult("evaluate", model, features, "-q").out

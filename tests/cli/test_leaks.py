"""`train`, `duplicates` and `report` say the same of the same leaks."""

from __future__ import annotations

import json
import logging

import numpy as np
import pytest
from feature_files import record, write

import penult
from penult.classify.diagnosis.learning_curve import learning_curve

pytestmark = pytest.mark.light

COPIES, NEAR, EACH, WIDTH = 2, 3, 40, 64


@pytest.fixture
def rows(tmp_path):
    """Two classes of 40; of the 20 held-out rows 2 are training images, and 3 are near to one."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], EACH)
    values = rng.normal(size=(2, WIDTH))[labels] + rng.normal(size=(2 * EACH, WIDTH))
    digests = [f"{k:032x}" for k in range(len(labels))]
    held_out = np.arange(len(labels)) % 4 == 3
    for k in np.flatnonzero(held_out)[: COPIES + NEAR]:
        values[k] = values[k - 1]
    for k in np.flatnonzero(held_out)[:COPIES]:
        digests[k] = digests[k - 1]
    values[held_out] *= 2
    records = [
        record(f"{k:02}.jpg", f"c{label}", split="test" if held_out[k] else "train")
        for k, label in enumerate(labels)
    ]
    return write(tmp_path / "f.h5", records, [values.astype(np.float32)], digests=digests, blocks=len(records))  # fmt: skip


def warnings(caplog, make, *arguments, **options):
    caplog.clear()
    with caplog.at_level(logging.WARNING, "penult"):
        made = make(*arguments, grid={"C": [1]}, **options)
    return made, [one for one in caplog.messages if "near-duplicate" in one]


@pytest.fixture
def on_curve(monkeypatch):
    """The images of the last point of the learning curve that a report draws."""
    images = []

    def recorded(*given, **options):
        points = learning_curve(*given, **options)
        images.append(points[-1].images)
        return points

    monkeypatch.setattr("penult.reporting.steps.trained.learning_curve", recorded)
    return images


@pytest.mark.usefixtures("without_looks")
def test_all_three_count_the_same_leaks(rows, tmp_path, caplog, on_curve):
    trained, (said,) = warnings(caplog, penult.train, rows)
    assert said.startswith(f"penult: {NEAR} of 20 held-out images")
    # The copies of held-out images did not train, so they leak nothing.
    assert trained.settings.train_images == 60 - COPIES

    leaks = penult.duplicates(rows, across_splits=True).leaks
    _, told = warnings(caplog, penult.report, rows, tmp_path / "report", label_errors=False)
    assert told == [said]
    scores = json.loads((tmp_path / "report" / "scores.json").read_text())
    mine = scores["leaks"]
    assert (leaks.near, mine["near"]) == (NEAR, NEAR)
    assert (leaks.held_out, mine["held_out"]) == (20, 20)
    assert mine["all_images"] == trained.scores.accuracy
    assert mine["parts"] == {"train": 60 - COPIES, "test": 20}
    assert on_curve == [60 - COPIES]


def test_a_curve_of_another_program_trains_without_the_copies_too(rows):
    trained = penult.train(rows, grid={"C": [1]})
    last = learning_curve(trained, rows)[-1]
    assert (last.images, last.accuracies) == (60 - COPIES, (trained.scores.accuracy,))
    refitted = penult.train(rows, grid={"C": [1]}, refit=True)
    assert learning_curve(refitted, rows)[-1].images == 60 - COPIES


@pytest.mark.usefixtures("without_looks")
def test_images_near_to_those_held_out_train_neither_where_they_are_kept_in_one_part(
    rows, tmp_path, caplog, on_curve
):
    options = {"near_duplicates": 0.95, "label_errors": False, "retrieval": False}
    made, told = warnings(caplog, penult.report, rows, tmp_path / "report", **options)
    assert told == []
    scores = json.loads((tmp_path / "report" / "scores.json").read_text())
    assert made.classifier.settings.train_images == 60 - COPIES - NEAR
    assert on_curve == [60 - COPIES - NEAR]
    assert scores["leaks"]["near"] == 0


@pytest.mark.usefixtures("without_looks")
def test_the_terminal_says_what_train_says_of_leaks(penult, rows, tmp_path, caplog):
    quick = ["--grid", "C=1", "-q"]
    trained = penult("train", rows, "-o", tmp_path / "c.skops", *quick)
    done = penult("report", rows, "-o", tmp_path / "r", "--no-label-errors", *quick)
    left_out = f"left out: {COPIES} images, copies of held-out images, in the training split"
    for one in (trained, done):
        assert left_out in one.out.splitlines()
    said = [one for one in caplog.messages if "near-duplicate" in one]
    assert f"penult duplicates {rows} --across-splits" in said[0]
    assert said == said[:1] * 2
    page = (tmp_path / "r" / "index.html").read_text()
    assert "--across-splits --repair repaired.h5</code>" in page  # the parts are the file's own

import dataclasses

import numpy as np
import pytest

from penult.classify.classifiers import CLASSIFIERS
from penult.classify.diagnose import (
    find_label_issues,
    learning_curve,
    likely_errors,
    train_layers,
)
from penult.classify.probe import train
from penult.errors import RecipeMismatchError, UsageError

COUNTS = {"daisy": 30, "rose": 30, "tulip": 30}
QUICK = {"C": [10], "alpha": [1], "n_neighbors": [5], "max_features": ["sqrt"]}


def test_confident_learning_matches_a_table_done_by_hand():
    labels = np.array([0, 0, 0, 1, 1])
    probabilities = np.array([[0.9, 0.1], [0.7, 0.3], [0.2, 0.8], [0.3, 0.7], [0.4, 0.6]])
    # Thresholds: (0.9 + 0.7 + 0.2) / 3 = 0.6 and (0.7 + 0.6) / 2 = 0.65.
    rows, suggested = likely_errors(labels, probabilities)
    assert rows.tolist() == [2]
    assert suggested.tolist() == [0, 0, 1, 1, 1]


def test_the_likeliest_error_comes_first():
    labels = np.array([0, 0, 0, 0, 1, 1])
    probabilities = np.array(
        [[0.95, 0.05], [0.9, 0.1], [0.3, 0.7], [0.1, 0.9], [0.2, 0.8], [0.4, 0.6]]
    )
    assert likely_errors(labels, probabilities)[0].tolist() == [3, 2]


@pytest.mark.parametrize("kind", sorted({*CLASSIFIERS} - {"forest"}))
def test_swapped_labels_are_found_whatever_the_classifier(make_features, kind):
    features = make_features(COUNTS)
    features.labels[[4, 40]] = [1, 2]
    grid = {k: v for k, v in QUICK.items() if k in CLASSIFIERS[kind].grid}
    classifier = train(features, classifier=kind, grid=grid)
    found = find_label_issues(classifier, features)
    assert {issue.id: (issue.label, issue.suggested) for issue in found} == {
        "daisy/004.jpg": ("rose", "daisy"),
        "rose/040.jpg": ("tulip", "rose"),
    }
    assert all(issue.confidence < 0.5 for issue in found)


def test_clean_labels_are_left_alone(make_features):
    features = make_features(COUNTS)
    assert find_label_issues(train(features), features) == []


@pytest.mark.parametrize("kind", sorted({*CLASSIFIERS} - {"forest"}))
def test_the_learning_curve_rises_to_the_score_itself(make_features, kind):
    features = make_features(COUNTS, noise=1.5)
    grid = {k: v for k, v in QUICK.items() if k in CLASSIFIERS[kind].grid}
    classifier = train(features, classifier=kind, grid=grid, scale="none")
    points = learning_curve(classifier, features, draws=4)
    assert [point.per_class for point in points][:4] == [1, 2, 5, 10]
    assert points[0].images == 3
    assert len(points[0].accuracies) == 4
    assert points[0].mean < points[-1].mean
    assert points[-1].images == classifier.settings["train_images"]
    if not CLASSIFIERS[kind].calibrated:  # calibration may turn a decision
        assert points[-1].accuracies == (classifier.scores.accuracy,)


def test_a_larger_part_of_the_curve_contains_the_smaller_ones_and_is_the_same_again(make_features):
    features = make_features(COUNTS, noise=2)
    classifier = train(features)
    first = learning_curve(classifier, features, sizes=[2, 7])
    assert first == learning_curve(classifier, features, sizes=[7, 2])
    assert [p.per_class for p in learning_curve(classifier, features, sizes=[500])] == [23]


def test_the_curve_of_other_rows_is_refused(make_features, recipe):
    features = make_features(COUNTS)
    classifier = train(features)
    other = dataclasses.replace(features, ids=[f"other/{i}" for i in range(90)])
    with pytest.raises(UsageError, match="has 0 of the 23 images"):
        learning_curve(classifier, other)
    with pytest.raises(RecipeMismatchError):
        learning_curve(classifier, make_features(COUNTS, recipe=dataclasses.replace(recipe, layer="x")))  # fmt: skip


def test_more_neighbours_than_images_are_passed_over(make_features):
    features = make_features({"daisy": 6, "rose": 6})
    classifier = train(features, classifier="knn")
    assert [trial["params"]["n_neighbors"] for trial in classifier.settings["grid"]] == [1, 3, 5]
    with pytest.raises(UsageError, match="give fewer n_neighbors"):
        train(features, classifier="knn", grid={"n_neighbors": [50]})


def test_every_layer_of_a_file_is_trained_and_scored_on_the_same_images(
    make_features, tmp_path, monkeypatch
):
    # The later layer tells the classes apart, the earlier one is noise.
    noise = np.random.default_rng(0).normal(size=(90, 6)).astype(np.float32)
    by_layer = {"block1": noise, "block2": make_features(COUNTS).features}

    def load(path, layer=None):
        rows = by_layer[layer or "block2"]
        return make_features(COUNTS, features=rows, layers=tuple(by_layer))

    monkeypatch.setattr("penult.classify.diagnose.load", load)
    found = train_layers("rows.h5", grid={"C": [1]})
    assert list(found) == ["block1", "block2"]
    assert found["block1"].scores.accuracy < 0.7 < found["block2"].scores.accuracy == 1
    assert found["block1"].held_out.ids == found["block2"].held_out.ids

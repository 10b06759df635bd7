import dataclasses

import numpy as np
import pytest

from penult.classify.diagnosis.label_errors import find_label_issues, likely_errors
from penult.classify.kinds.registry import find_kind, kind_names
from penult.classify.training.train import train
from penult.errors import RecipeMismatchError, TrainingError, UsageError

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


@pytest.mark.parametrize("kind", sorted({*kind_names()} - {"forest"}))
def test_swapped_labels_are_found_whatever_the_classifier(make_features, kind):
    features = make_features(COUNTS)
    features.labels[[4, 40]] = [1, 2]
    grid = {k: v for k, v in QUICK.items() if k in find_kind(kind).grid}
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


def test_what_is_trained_on_is_bounded_while_every_image_is_judged(make_features, monkeypatch):
    features = make_features(COUNTS)
    features.labels[[4, 40]] = [1, 2]
    classifier = train(features)
    fitted, told = [], []
    kind = find_kind("logistic")
    fit = kind.fit

    def spy(data, params):
        fitted.append(len(data.rows))
        return fit(data, params)

    monkeypatch.setattr(kind, "fit", spy)
    found = find_label_issues(classifier, features, folds=4, max_rows=31, progress=told.append)
    assert fitted == [31] * 4
    assert {issue.id for issue in found} == {"daisy/004.jpg", "rose/040.jpg"}
    assert [(p.done, p.total) for p in told] == [(k, 4) for k in range(5)]
    assert all(issue.suggested_confidence > issue.confidence for issue in found)


def test_identical_images_do_not_vouch_for_each_other(make_features):
    """Two copies of a daisy, both labelled rose: either would be taken for right from the other."""
    features = make_features(COUNTS)
    rows = features.features.copy()
    rows[4] = rows[5]
    features.labels[[4, 5]] = 1
    content = [f"{i:032x}" for i in range(90)]
    content[4] = content[5]
    features = dataclasses.replace(features, features=rows, content=content)
    classifier = train(features, classifier="knn", grid={"n_neighbors": [1]})
    assert {i.id for i in find_label_issues(classifier, features)} >= {"daisy/004.jpg", "daisy/005.jpg"}  # fmt: skip


def test_a_class_of_too_few_different_images_is_left_out_and_the_others_are_judged(make_features):
    features = make_features(COUNTS | {"violet": 5})
    features.labels[[4, 40]] = [1, 2]
    content = [f"{i:032x}" for i in range(95)]
    content[90] = content[91]
    features = dataclasses.replace(features, content=content)
    found = find_label_issues(train(features), features)
    assert {i.id for i in found} == {"daisy/004.jpg", "rose/040.jpg"}
    with pytest.raises(TrainingError, match="fewer than two classes have 80 images"):
        find_label_issues(train(features), features, folds=80)


def test_images_with_several_labels_are_refused(make_features):
    features = make_features(COUNTS)
    classifier = train(features)
    several = dataclasses.replace(features, targets=np.ones((90, 3), bool))
    with pytest.raises(UsageError, match="several labels"):
        find_label_issues(classifier, several)


def test_rows_made_otherwise_are_refused(make_features, recipe):
    other = make_features(COUNTS, recipe=dataclasses.replace(recipe, layer="x"))
    with pytest.raises(RecipeMismatchError):
        find_label_issues(train(make_features(COUNTS)), other)


def test_a_label_of_almost_no_probability_is_listed_though_no_threshold_is_reached():
    labels = np.repeat([0, 1, 2], 4)
    probabilities = np.full((12, 3), 0.01)
    probabilities[np.arange(12), labels] = 0.98
    # The first class's threshold is (3 * 0.98 + 0.002) / 4, the others' is 0.98.
    probabilities[0] = [0.002, 0.91, 0.088]
    rows, suggested = likely_errors(labels, probabilities)
    assert (rows.tolist(), suggested[0]) == ([0], 1)
    for undecided in ([0.02, 0.91, 0.07], [0.005, 0.5, 0.495]):
        probabilities[0] = undecided
        assert likely_errors(labels, probabilities)[0].tolist() == []

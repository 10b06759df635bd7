"""Classes that count alike, however many images each has: what scikit-learn calls balanced."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer
from sklearn.svm import LinearSVC

import penult
from penult.classify.kinds.registry import find_kind
from penult.classify.linear.basis import LinearWeights, principal_basis
from penult.classify.linear.logistic import fit_path, objective
from penult.classify.linear.logistic_path import LogisticPath
from penult.classify.linear.losses import class_weights
from penult.classify.loading import load_classifier
from penult.classify.training.train import train
from penult.errors import UsageError
from penult.interface import serving_command_line
from penult.partition.splits import cross_validation

COUNTS = {"daisy": 120, "rose": 40, "tulip": 24}
TWO = {"daisy": 120, "rose": 40}
GRIDS = {"logistic": {"C": [1]}, "svm": {"C": [1]}, "ridge": {"alpha": [1]}}
# Rows of 12 numbers: 184 of them and their copies need 53 kB.
SMALL = 50_000


def overlapping(make_features, counts, **fields):
    return make_features(counts, width=12, noise=2, **fields)


def test_each_class_counts_as_much_as_any_other():
    labels = np.array([0, 0, 0, 1, 2, 2])
    weights = class_weights(labels, "balanced")
    np.testing.assert_allclose(weights, [6 / 9, 2, 1])
    np.testing.assert_allclose(np.bincount(labels, weights[labels]), [2, 2, 2])


def test_each_label_counts_as_much_as_its_absence():
    labels = np.array([[True, True], [True, False], [True, False], [True, False]])
    np.testing.assert_allclose(class_weights(labels, "balanced"), [[2, 4 / 6], [4 / 8, 2]])


@pytest.mark.parametrize("counts", [COUNTS, TWO], ids=["three classes", "two classes"])
def test_every_objective_on_the_path_is_scikit_learns_minimum(make_features, counts):
    features = overlapping(make_features, counts)
    rows, labels = features.features, features.labels
    basis, weights = principal_basis(rows), class_weights(features.labels, "balanced")
    strengths = [0.1, 1.0, 100.0]
    path = fit_path(basis.rows, labels, strengths, class_weights=weights)
    for strength, found in zip(strengths, path, strict=True):
        model = LogisticRegression(C=strength, class_weight="balanced", tol=1e-9, max_iter=10_000)
        model.fit(rows.astype(np.float64), labels)
        theirs = LinearWeights(model.coef_.T, model.intercept_)
        mine = objective(rows, labels, basis.to_rows(found, rows), strength, weights)
        assert mine == pytest.approx(objective(rows, labels, theirs, strength, weights), rel=1e-5)


def test_the_fit_that_starts_from_the_folds_has_that_minimum_too(make_features):
    features = overlapping(make_features, COUNTS)
    folds = cross_validation(features.labels, None)
    path = LogisticPath(features.features, features.labels, folds, "none", class_weight="balanced")
    path.cross_validate([1.0, 10.0], lambda: None)
    model = LogisticRegression(C=10, class_weight="balanced", tol=1e-9, max_iter=10_000)
    model.fit(features.features.astype(np.float64), features.labels)
    np.testing.assert_allclose(path.fit(10.0).coefficients, model.coef_.T, atol=2e-3)


THEIRS = {
    "logistic": LogisticRegression(class_weight="balanced", tol=1e-8, max_iter=10_000),
    "svm": LinearSVC(class_weight="balanced", max_iter=100_000),
    "ridge": RidgeClassifier(class_weight="balanced"),
}


@pytest.mark.parametrize("counts", [COUNTS, TWO], ids=["three classes", "two classes"])
@pytest.mark.parametrize("kind", THEIRS)
@pytest.mark.parametrize("memory", [None, SMALL], ids=["in memory", "on disk"])
def test_linear_classifiers_decide_as_scikit_learns_do(make_features, kind, counts, memory):
    splits = (["train"] * 3 + ["test"]) * (sum(counts.values()) // 4)
    features = overlapping(make_features, counts, splits=splits)
    options = {"classifier": kind, "grid": GRIDS[kind], "max_memory": memory}
    found = train(features, class_weight="balanced", **options)
    seen = np.array(splits) == "train"
    theirs = make_pipeline(Normalizer(), THEIRS[kind])
    theirs.fit(features.features[seen].astype(np.float64), features.labels[seen])
    new = overlapping(make_features, counts, seed=1).features
    said = found.predict_features(new).argmax(axis=1)
    assert (said == theirs.predict(new)).mean() > 0.99
    alike = train(features, **options).predict_features(new).argmax(axis=1)
    assert (said == alike).mean() < 0.95  # it makes a difference


def test_a_forest_is_given_them(make_features):
    features = overlapping(make_features, COUNTS)
    options = {"classifier": "forest", "grid": {"max_depth": [2], "max_features": ["sqrt"]}}
    rare = [
        (train(features, class_weight=weight, **options).predict_features(features).argmax(axis=1) == 2).mean()
        for weight in (None, "balanced")
    ]  # fmt: skip
    assert rare[1] > 2 * rare[0]


def test_of_several_labels_each_is_balanced_by_itself(make_features):
    rng = np.random.default_rng(0)
    targets = rng.random((184, 3)) < [0.1, 0.5, 0.3]
    rows = (targets @ np.eye(3, 12) + rng.normal(size=(184, 12))).astype(np.float32)
    features = make_features(COUNTS, width=12, features=rows, targets=targets)
    options = {"grid": {"C": [1]}, "scale": "none", "refit": True}
    found = train(features, class_weight="balanced", **options)
    some = targets.any(axis=1)
    theirs = OneVsRestClassifier(LogisticRegression(class_weight="balanced", tol=1e-8))
    theirs.fit(rows[some].astype(np.float64), targets[some].astype(int))
    np.testing.assert_allclose(found.predict_features(rows), theirs.predict_proba(rows), atol=2e-3)


@pytest.mark.parametrize("kinds", [["knn"], ["centroid"], ["logistic", "knn", "centroid"]])
def test_what_cannot_weigh_classes_says_so(make_features, kinds):
    with pytest.raises(UsageError) as told:
        penult.train(make_features(COUNTS), classifier=kinds, class_weight="balanced")
    refused = " and ".join(k for k in kinds if not find_kind(k).weighs_classes)
    assert str(told.value) == (
        f"{refused} cannot weigh classes; take logistic, svm, ridge, forest, or leave out "
        "class_weight='balanced'"
    )


def test_a_report_says_so_before_any_work(tmp_path):
    with serving_command_line(), pytest.raises(UsageError, match="leave out --class-weight bal"):
        penult.report(tmp_path, tmp_path / "r", classifier="knn", class_weight="balanced")


def test_the_file_says_that_classes_were_balanced(make_features, tmp_path):
    penult.train(make_features(COUNTS), tmp_path / "a.skops", class_weight="balanced")
    loaded = load_classifier(tmp_path / "a.skops")
    assert loaded.settings.class_weight == loaded.settings.options.class_weight == "balanced"
    assert "balanced classes" in repr(loaded)
    assert "balanced classes" in repr(loaded.settings)
    penult.train(make_features(COUNTS), tmp_path / "b.skops")
    assert "class_weight" not in load_classifier(tmp_path / "b.skops").settings.to_dict()

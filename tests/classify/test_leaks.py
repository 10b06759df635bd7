"""Nothing is learned from a row that is to judge what was learned."""

import numpy as np
import pytest

from penult.classify.kinds.base import TrainingData
from penult.classify.kinds.registry import all_kinds, kind_names
from penult.classify.linear.passes import StoredRows
from penult.classify.linear.streamed import StreamedProblem
from penult.classify.training.out_of_core import search_streamed
from penult.classify.training.search import search
from penult.classify.training.train import train

TRIES = {
    "logistic": {"C": 0.1},
    "svm": {"C": 0.01},
    "ridge": {"alpha": 10.0},
    "knn": {"n_neighbors": 3},
    "forest": {"max_features": "sqrt"},
    "centroid": {},
}
SHIFT = 1e5


def with_far_rows(make_features):
    """Two classes that column 0 tells apart, column 1 being noise, and two folds.

    The second half of each class has two rows that are far off in column 0. A scaler that has seen
    these makes a constant of that column.
    """
    features = make_features({"daisy": 60, "rose": 60}, width=2, noise=0.3)
    features.features[:, 1] = np.random.default_rng(1).normal(size=120)
    features.features[[58, 118], 0] += SHIFT
    features.features[[59, 119], 0] -= SHIFT
    first = np.r_[0:30, 60:90]
    second = np.r_[30:60, 90:120]
    return features, [(first, second), (second, first)]


@pytest.mark.parametrize(
    ("classifier", "stored"),
    [(kind.name, stored) for kind in all_kinds() for stored in (False, True)[: 1 + kind.streams]],
)
def test_what_a_fold_leaves_out_does_not_reach_its_scaler(make_features, classifier, stored):
    features, folds = with_far_rows(make_features)
    options = {"folds": folds, "scale": "standard", "seed": 0}
    tries = {classifier: [TRIES[classifier]]}
    if stored:
        rows = StoredRows(features, np.arange(120), False, 1 << 20)
        problem = StreamedProblem.prepare(rows, features.labels, **options)
        found = search_streamed(problem, tries)
    else:
        data = TrainingData(rows=features.features, labels=features.labels, **options)
        found = search(data, tries)
    clean, spoiled = found.trials[0].accuracies
    assert clean >= 56 / 60  # all but the four rows far off
    if classifier != "forest":  # which no scaling changes
        assert spoiled < 0.8


@pytest.mark.parametrize("classifier", kind_names())
@pytest.mark.parametrize("scale", ["l2", "standard"])
def test_the_held_out_part_changes_nothing_but_the_scores(make_features, classifier, scale):
    splits = (["train"] * 18 + ["test"] * 6) * 3
    features = make_features({"daisy": 24, "rose": 24, "tulip": 24}, noise=1.5, splits=splits)
    held_out = np.array(splits) == "test"
    plain = train(features, classifier=classifier, scale=scale)
    features.features[held_out] = 1e3 * np.random.default_rng(0).normal(size=(18, 6))
    features.labels[held_out] = (features.labels[held_out] + 1) % 3
    poisoned = train(features, classifier=classifier, scale=scale)
    assert poisoned.settings.grid == plain.settings.grid
    rows = np.random.default_rng(1).normal(size=(50, 6)).astype(np.float32)
    assert (poisoned.predict_features(rows) == plain.predict_features(rows)).all()
    assert poisoned.scores.accuracy != plain.scores.accuracy


def test_a_feature_that_gives_the_label_away_in_one_part_only_is_worth_nothing(make_features):
    # Column 0 is the label in the training rows and noise in the held-out ones, and the rest is
    # noise: an honest score is chance, about a half.
    rng = np.random.default_rng(0)
    splits = (["train"] * 60 + ["test"] * 60) * 2
    features = make_features({"daisy": 120, "rose": 120}, splits=splits)
    features.features[:] = rng.normal(size=features.features.shape)
    given = np.array(splits) == "train"
    features.features[given, 0] = features.labels[given]
    found = train(features, scale="standard")
    assert max(result.mean for result in found.settings.grid) == 1
    assert 0.3 < found.scores.accuracy < 0.7

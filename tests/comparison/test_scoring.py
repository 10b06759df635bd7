"""The rows of one network, scored on parts that are given."""

from __future__ import annotations

from math import isnan

import numpy as np
import pytest

from penult.comparison.image_scores import ImageScores
from penult.comparison.scoring import score_rows
from penult.comparison.splits import SplitOptions, Splits
from penult.records import RunScores

pytestmark = pytest.mark.light


def silent(_now) -> None:
    pass


def test_scores_are_those_of_train_and_of_evaluate_search(make_features):
    import penult

    features = make_features({"a": 15, "b": 15, "c": 15}, noise=2.0)
    splits = Splits.draw(features, SplitOptions(runs=2))
    found = score_rows(features, splits, tell=silent)
    for run in range(2):
        trained = penult.train(
            features, ignore_splits=True, test_size=0.2, seed=run, near_duplicates=None
        )
        assert found.scores["accuracy"].runs[run] == trained.scores.accuracy
        assert found.scores["macro_f1"].runs[run] == pytest.approx(trained.scores.macro.f1)
        assert found.scores["soft_f1"].runs[run] == pytest.approx(trained.scores.soft_f1)
        held = splits.parts[run] == 2
        searched = penult.evaluate_search(
            features.take(~held), features.take(held), k=[1, 5], near_duplicates=1.0
        )
        for name in ("hit@1", "hit@5", "precision@5"):
            assert found.scores[name].runs[run] == pytest.approx(searched[name].value)
    assert 0.3 < found.scores["accuracy"].mean < 1  # or it would tell nothing


def test_each_image_has_its_score_where_it_was_held_out_and_none_elsewhere(make_features):
    features = make_features({"a": 10, "b": 10})
    splits = Splits.draw(features, SplitOptions())
    found = score_rows(features, splits, tell=silent)
    assert set(found.same) == {"accuracy", "knn_accuracy", "hit@1", "hit@5", "precision@5"}
    for table in found.same.values():
        assert (np.isfinite(table) == (splits.parts == 2)).all()
    # One label each: whatever is right at all is wholly right.
    for name, table in found.same.items():
        np.testing.assert_array_equal(found.any_label[name], table)


def test_several_labels_are_right_together_or_in_part(make_features):
    # Two independent labels: one that the rows tell, and one that is noise to them.
    rng = np.random.default_rng(0)
    targets = rng.random((60, 2)) < 0.5
    targets[~targets.any(axis=1), 0] = True
    rows = np.column_stack([targets[:, 0] * 8.0, rng.normal(size=60), np.ones(60)])
    features = make_features(
        {"a": 30, "b": 30},
        features=rows.astype(np.float32),
        targets=targets,
        labels=np.full(60, -1),
    )
    found = score_rows(features, Splits.draw(features, SplitOptions(runs=1)), tell=silent)
    for name in ("accuracy", "hit@1", "precision@5"):
        assert found.scores[name].mean < found.any_label_scores[name].mean
    assert "calibration_error" not in found.scores


def test_a_small_class_is_no_label_of_images_that_have_others(make_features):
    targets = np.repeat([[True, False, False], [False, True, False]], 20, axis=0)
    targets[:2, 2] = True  # of two images: too few to learn
    rows = np.column_stack([targets[:, :2] * 8.0, np.ones(40)]).astype(np.float32)
    features = make_features(
        {"a": 20, "b": 20},
        features=rows,
        targets=targets,
        label_names=("a", "b", "c"),
        labels=np.full(40, -1),
    )
    splits = Splits.draw(features, SplitOptions(runs=2, min_per_class=5))
    assert (splits.dropped, splits.to_dict()["classes"]) == (("c",), 2)
    found = score_rows(features, splits, tell=silent)
    assert (splits.parts > 0).all()
    for name in ("accuracy", "hit@1"):
        assert found.scores[name].runs == (1, 1)


def test_an_image_without_a_row_is_in_no_score(make_features):
    features = make_features({"a": 10, "b": 10})
    splits = Splits.draw(features, SplitOptions(runs=1))
    lost = int(np.flatnonzero(splits.parts[0] == 2)[0])
    others = np.arange(20) != lost
    found = score_rows(features.take(others), splits, tell=silent)
    assert isnan(found.same["accuracy"][0, lost])
    assert np.isfinite(found.same["accuracy"][0]).sum() == (splits.parts == 2).sum() - 1


def test_a_gallery_of_four_rows_has_no_score_at_five(make_features):
    features = make_features({"a": 3, "b": 3})
    splits = Splits.draw(features, SplitOptions(runs=1, test_size=1 / 3, folds=2))
    found = score_rows(features, splits, tell=silent)
    assert "hit@1" in found.scores
    assert "hit@5" not in found.scores


def test_means_are_over_the_images_of_a_run():
    table = np.array([[1.0, 0.0, np.nan], [np.nan, 1.0, 1.0], [np.nan] * 3])
    found = ImageScores(same={"accuracy": table}, any_label={}, whole={}).scores["accuracy"]
    assert found.runs[:2] == (0.5, 1.0)
    assert isnan(found.runs[2])
    assert (found.mean, found.std) == (0.75, pytest.approx(0.5 / 2**0.5))
    assert RunScores((0.5,)).std == 0

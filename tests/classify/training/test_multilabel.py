"""Images of several labels: learned, scored, saved and applied."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, f1_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.preprocessing import Normalizer

from penult.classify.evaluation.evaluate import evaluate
from penult.classify.kinds.registry import kind_names
from penult.classify.loading import load_classifier
from penult.classify.metrics.label_scores import average_precision, score_labels
from penult.classify.training.multilabel import best_thresholds
from penult.classify.training.train import train
from penult.errors import TrainingError, UsageError
from penult.partition.splits import cross_validation, hold_out
from penult.partition.stratification import stratify_labels

NAMES = ("bee", "daisy", "meadow", "rose")


@pytest.fixture
def several(make_features):
    """Rows that are the sum of their labels' directions; `shares` says how common each label is."""

    def make(n=240, *, noise=0.2, shares=(0.2, 0.5, 0.6, 0.3), seed=0, names=NAMES, **fields):
        rng = np.random.default_rng(seed)
        targets = rng.random((n, len(names))) < shares
        targets[~targets.any(axis=1), 1] = True
        rows = targets @ np.eye(len(names), 6) + noise * rng.normal(size=(n, 6)) + 0.3
        labels = np.where(targets.sum(axis=1) == 1, targets.argmax(axis=1), -1)
        given = {
            "features": rows.astype(np.float32),
            "ids": [f"{i:03}.jpg" for i in range(n)],
            "labels": labels,
            "label_names": names,
            "targets": targets,
        }
        return make_features({"x": n}, **(given | fields))

    return make


@pytest.mark.parametrize("classifier", kind_names())
def test_every_classifier_learns_several_labels_and_comes_back_from_its_file(
    several, tmp_path, classifier
):
    features = several()
    trained = train(features, classifier=classifier, scale="none")
    assert trained.label_names == NAMES
    assert trained.scores.mean_average_precision > 0.95
    assert trained.scores.accuracy > 0.7
    assert trained.scores.micro.f1 > 0.9
    trained.save(tmp_path / "a.skops")
    loaded = load_classifier(tmp_path / "a.skops")
    rows = features.features[:30]
    probabilities = loaded.predict_features(rows)
    assert (probabilities == trained.predict_features(rows)).all()
    assert loaded.thresholds == trained.thresholds
    assert loaded.scores == trained.scores
    again = evaluate(loaded, features)
    assert again.scores.images == 240
    assert again.scores.micro.f1 > 0.9


def test_the_logistic_one_is_scikit_learns_one_against_the_rest(several):
    splits = ["train"] * 180 + ["test"] * 60
    features = several(noise=0.6, splits=splits)
    trained = train(features, grid={"C": [10.0]})
    scaled = Normalizer().transform(features.features)
    theirs = OneVsRestClassifier(LogisticRegression(C=10, tol=1e-9, max_iter=10_000))
    theirs.fit(scaled[:180].astype(np.float64), features.targets[:180].astype(int))
    np.testing.assert_allclose(
        trained.predict_features(features.features[180:]),
        theirs.predict_proba(scaled[180:]),
        atol=1e-4,
    )


def test_of_values_of_c_that_rank_equally_the_surest_is_taken(several):
    trained = train(several(n=80, noise=0.01), scale="none")
    grid = trained.settings.grid
    assert [result.mean for result in grid] == [1] * 6
    assert trained.settings.params["C"] == 10000
    said = trained.predict_features(several(n=40, noise=0.01, seed=1).features)
    assert np.median(np.maximum(said, 1 - said)) > 0.99


def test_predictions_list_the_labels_above_their_thresholds(several):
    trained = train(several(), scale="none")
    high = np.add(trained.thresholds, [0.1, -0.1, 0.05, -0.05])
    (said,) = trained.predictions(["a.jpg"], high[None], top=2)
    over = [k for k in np.argsort(-high) if k in (0, 2)]
    assert said.labels == tuple(NAMES[k] for k in over)
    assert len(said.top) == 2
    (nothing,) = trained.predictions(["a.jpg"], np.zeros((1, 4)))
    assert nothing.labels == ()


def test_a_single_label_classifier_says_none(make_features):
    trained = train(make_features({"a": 20, "b": 20}))
    assert trained.thresholds is None
    assert trained.predictions(["x"], np.array([[0.9, 0.1]]))[0].labels is None


def test_rare_labels_are_refused_or_dropped_on_request(several):
    features = several(names=(*NAMES, "wasp"), shares=(0.2, 0.5, 0.6, 0.3, 0))
    features.targets[[5, 100], 4] = True
    with pytest.raises(TrainingError, match="wasp"):
        train(features)
    trained = train(features, min_per_class=5)
    assert trained.label_names == NAMES
    assert trained.settings.left_out == {"class wasp has fewer than 5 images": 2}


def test_a_label_on_every_image_is_refused(several):
    features = several()
    features.targets[:, 2] = True
    with pytest.raises(TrainingError, match="every image to train with has the label meadow"):
        train(features)


def test_images_without_a_label_are_left_out_and_unknown_labels_reported(several):
    splits = ["train"] * 180 + ["test"] * 60
    names = ("bee", "daisy", "meadow", "rose", "wasp")
    features = several(splits=splits, names=names, shares=(0.2, 0.5, 0.6, 0.3, 0))
    features.targets[200, 4] = True
    features.targets[:10] = False
    trained = train(features)
    assert trained.label_names == NAMES
    left_out = trained.settings.left_out
    assert left_out["unlabelled"] == 10
    assert left_out["test images of class wasp, which has no training image"] == 1


def test_refit_and_runs_work_with_several_labels(several):
    trained = train(several(noise=0.5), refit=True, runs=2, grid={"C": [1.0, 10.0]})
    assert trained.settings.train_images == 240
    assert len(trained.settings.runs.accuracies) == 2


def test_rows_that_do_not_fit_into_memory_say_so(several):
    with pytest.raises(TrainingError, match="several labels all are needed at once"):
        train(several(), max_memory=1000)


def test_evaluating_on_labels_it_does_not_know_is_refused(several):
    trained = train(several())
    with pytest.raises(UsageError, match="it knows bee, daisy"):
        evaluate(trained, several(names=("a", "b", "c", "d")))


def test_each_label_has_its_share_in_every_part():
    rng = np.random.default_rng(0)
    targets = rng.random((600, 5)) < [0.5, 0.3, 0.1, 0.05, 0.02]
    part = stratify_labels(targets, [0.75, 0.25], seed=0)
    assert abs((part == 1).sum() - 150) <= 2
    for k in range(5):
        assert abs(targets[part == 1, k].sum() - 0.25 * targets[:, k].sum()) <= 2
    # A random part would leave the rarest label out of some fold about every tenth time.
    folds = stratify_labels(targets, [1 / 6] * 6, seed=1)
    assert all(targets[folds == fold, 4].any() for fold in range(6))


def test_two_images_of_each_label_set_are_dealt_one_to_each_half():
    targets = np.repeat(np.array([[1, 0], [0, 1], [1, 1]], bool), 2, axis=0)
    part = stratify_labels(targets, [0.5, 0.5], seed=3)
    assert [sorted(part[k : k + 2]) for k in (0, 2, 4)] == [[0, 1]] * 3


def test_groups_of_several_labels_stay_together(several):
    groups = [f"view {i // 3}" for i in range(240)]
    features = several(groups=groups)
    split = hold_out(features)
    named = np.array(groups)
    assert not {*named[split.train]} & {*named[split.held_out]}
    targets = features.targets[split.train]
    for first, second in cross_validation(targets, named[split.train]):
        assert not {*named[split.train][first]} & {*named[split.train][second]}


def test_the_threshold_is_the_cut_with_the_best_f1():
    # Three of four right by 0.35: F1 = 2·2/(3+2) at the third; cutting after the first gives 2/3.
    truth = np.array([[1], [0], [1], [0]], bool)
    said = np.array([[0.9], [0.6], [0.4], [0.1]])
    assert best_thresholds(truth, said) == (0.25,)
    # Apart: anything between 0.25 and 0.75 is as good, and one cut lies there.
    assert best_thresholds(np.array([[1], [0]], bool), np.array([[0.75], [0.25]])) == (0.5,)


def test_scores_of_several_labels_are_the_sums_done_by_hand():
    truth = np.array([[1, 0], [1, 1], [0, 1]], bool)
    predicted = np.array([[1, 0], [1, 0], [1, 1]], bool)
    said = np.array([[0.9, 0.2], [0.8, 0.4], [0.7, 0.6]])
    scores = score_labels(truth, predicted, said, ["a", "b"])
    assert scores.accuracy == 1 / 3  # the first image alone has all its labels and no other
    assert [c.precision for c in scores.classes] == [2 / 3, 1]
    assert [c.recall for c in scores.classes] == [1, 1 / 2]
    assert scores.micro.f1 == 2 * 3 / (4 + 4)
    assert scores.macro.f1 == pytest.approx((4 / 5 + 2 / 3) / 2)
    assert scores.mean_average_precision == 1
    assert scores.confusion == ()


def test_scores_of_several_labels_agree_with_scikit_learn():
    rng = np.random.default_rng(0)
    truth, said = rng.random((80, 6)) < 0.3, rng.random((80, 6))
    scores = score_labels(truth, said > 0.5, said, list("abcdef"))
    for average in ("micro", "macro", "weighted"):
        theirs = f1_score(truth, said > 0.5, average=average, zero_division=0)
        assert getattr(scores, average).f1 == pytest.approx(theirs)
    theirs = average_precision_score(truth, said, average="macro")
    assert scores.mean_average_precision == pytest.approx(theirs)


def test_average_precision_is_scikit_learns_where_scores_are_equal_too():
    rng = np.random.default_rng(0)
    for different in (1, 2, 5, 1000):
        for share in (0.02, 0.3, 1):
            truth = rng.random(100) < share
            truth[0] = True
            said = rng.integers(different, size=100).astype(np.float32) / 7
            theirs = average_precision_score(truth, said)
            assert average_precision(truth, said) == pytest.approx(theirs, rel=1e-14)


def test_a_label_that_all_its_images_come_first_for_has_exactly_1():
    for count in (3, 10, 49):
        truth = np.arange(100) < count
        assert average_precision(truth, np.where(truth, 0.7, 0.1)) == 1
        assert average_precision(truth, np.arange(100, 0, -1) / 100) == 1


def test_average_precision_falls_where_a_wrong_image_comes_first():
    truth = np.array([0, 1, 1], bool)
    assert average_precision(truth, np.array([0.9, 0.8, 0.7])) == pytest.approx((1 / 2 + 2 / 3) / 2)

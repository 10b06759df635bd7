import json

import numpy as np
import pytest
from scipy.stats import binom
from sklearn import metrics

from penult.classify.metrics.label_scores import score_labels
from penult.classify.metrics.probability_sums import ProbabilitySums
from penult.classify.metrics.scores import (
    accuracy_interval,
    caution,
    confusion_matrix,
    score,
    scores_from_dict,
    scores_to_dict,
)
from penult.errors import FileFormatError, UsageError

# Six images of three classes, and a fourth class that is in neither.
TRUTH = np.array([0, 0, 0, 1, 1, 2])
SAID = np.array([0, 0, 1, 1, 1, 1])
NAMES = ("daisy", "rose", "tulip", "weed")


def random_case(seed, images=300, classes=9):
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.full(classes, 0.3), size=images)
    truth = np.array([rng.choice(classes, p=0.6 * p + 0.4 / classes) for p in probabilities])
    return truth, probabilities


def test_scores_match_those_worked_out_by_hand():
    scores = score(TRUTH, SAID, NAMES, split="by hand")
    daisy, rose, tulip, weed = scores.classes
    assert scores.accuracy == 4 / 6
    assert (daisy.precision, daisy.recall, daisy.support) == (1, 2 / 3, 3)
    assert daisy.f1 == pytest.approx(4 / 5)
    assert (rose.precision, rose.recall, rose.support) == (2 / 4, 1, 2)
    assert (tulip.precision, tulip.recall, tulip.f1, tulip.support) == (0, 0, 0, 1)
    assert (weed.precision, weed.recall, weed.f1, weed.support) == (0, 0, 0, 0)
    assert scores.confusion == ((2, 1, 0, 0), (0, 2, 0, 0), (0, 1, 0, 0), (0, 0, 0, 0))
    # The absent class counts in no average.
    assert scores.balanced_accuracy == pytest.approx((2 / 3 + 1 + 0) / 3)
    assert scores.macro.recall == pytest.approx((2 / 3 + 1 + 0) / 3)
    assert scores.weighted.precision == pytest.approx((3 * 1 + 2 * 0.5 + 0) / 6)


def test_a_class_that_is_only_predicted_counts_in_macro_averages_and_not_in_balanced_accuracy():
    scores = score(np.array([0, 0, 1, 1]), np.array([0, 2, 1, 1]), ["daisy", "rose", "tulip"])
    assert scores.balanced_accuracy == (1 / 2 + 1) / 2
    assert scores.macro.recall == pytest.approx((1 / 2 + 1 + 0) / 3)


def test_confusion_rows_are_true_classes_and_columns_predicted_ones():
    assert confusion_matrix(np.array([0]), np.array([1]), 2).tolist() == [[0, 1], [0, 0]]


@pytest.mark.parametrize("seed", range(3))
def test_scores_agree_with_scikit_learn(seed):
    truth, probabilities = random_case(seed)
    said = probabilities.argmax(axis=1)
    scores = score(truth, said, [f"c{k}" for k in range(9)], probabilities=probabilities)
    assert scores.accuracy == metrics.accuracy_score(truth, said)
    assert scores.balanced_accuracy == pytest.approx(metrics.balanced_accuracy_score(truth, said))
    assert scores.top5 == metrics.top_k_accuracy_score(truth, probabilities, k=5)
    assert scores.log_loss == pytest.approx(metrics.log_loss(truth, probabilities))
    for average, mine in (("macro", scores.macro), ("weighted", scores.weighted)):
        theirs = metrics.precision_recall_fscore_support(
            truth, said, average=average, zero_division=0
        )
        assert (mine.precision, mine.recall, mine.f1) == pytest.approx(theirs[:3])
    per_class = metrics.precision_recall_fscore_support(truth, said, zero_division=0)
    mine = [(c.precision, c.recall, c.f1, c.support) for c in scores.classes]
    np.testing.assert_allclose(mine, np.transpose(per_class))


def test_soft_f1_of_certain_predictions_is_the_plain_macro_f1():
    truth, probabilities = random_case(3)
    said = probabilities.argmax(axis=1)
    certain = np.eye(9)[said]
    expected = metrics.f1_score(truth, said, average="macro", labels=np.unique(truth))
    assert ProbabilitySums.of(truth, certain).soft_f1 == pytest.approx(expected)


def test_soft_f1_matches_a_sum_done_by_hand():
    truth, probabilities = np.array([0, 1]), np.array([[0.8, 0.2], [0.4, 0.6]])
    # Class 0: tp 0.8, fp 0.4, fn 0.2; class 1: tp 0.6, fp 0.2, fn 0.4.
    by_hand = (1.6 / (1.6 + 0.4 + 0.2) + 1.2 / (1.2 + 0.2 + 0.4)) / 2
    assert ProbabilitySums.of(truth, probabilities).soft_f1 == pytest.approx(by_hand)


def test_calibration_error_matches_a_sum_done_by_hand():
    # Two images at 0.8, one right: |1/2 - 0.8|; two at 0.6, both right: |1 - 0.6|.
    probabilities = np.array([[0.8, 0.2], [0.8, 0.2], [0.6, 0.4], [0.4, 0.6]])
    truth = np.array([0, 1, 0, 1])
    assert ProbabilitySums.of(truth, probabilities).calibration_error == pytest.approx(
        (2 * 0.3 + 2 * 0.4) / 4
    )


def test_certainty_that_is_wrong_has_a_finite_log_loss():
    assert np.isfinite(ProbabilitySums.of(np.array([0]), np.array([[0.0, 1.0]])).log_loss)


def test_the_interval_holds_the_accuracy_and_narrows_with_more_images():
    few = score(TRUTH, SAID, NAMES).interval
    many = score(np.tile(TRUTH, 100), np.tile(SAID, 100), NAMES).interval
    assert few[0] <= many[0] < 4 / 6 < many[1] <= few[1]
    # Normal approximation for 600 images: 1.96 * sqrt(2/3 * 1/3 / 600).
    assert many[1] - many[0] == pytest.approx(2 * 1.96 * (2 / 9 / 600) ** 0.5, rel=0.05)


@pytest.mark.parametrize(
    ("right", "images", "low", "high"),
    [
        # Of 18, all are right with probability p^18: 2.5% for the lowest p that is still in it.
        pytest.param(18, 18, 0.025 ** (1 / 18), 1, id="all right"),
        pytest.param(0, 18, 0, 1 - 0.025 ** (1 / 18), id="none right"),
        pytest.param(1, 1, 0.025, 1, id="one image"),
        pytest.param(340, 340, 0.025 ** (1 / 340), 1, id="all of many"),
    ],
)
def test_the_interval_has_a_width_where_all_or_none_are_right(right, images, low, high):
    assert accuracy_interval(right, images) == pytest.approx((low, high))


@pytest.mark.parametrize("accuracy", [0.5, 0.9, 0.99])
@pytest.mark.parametrize("images", [5, 18, 100])
def test_the_interval_holds_the_accuracy_as_often_as_it_says(images, accuracy):
    intervals = np.array([accuracy_interval(right, images) for right in range(images + 1)])
    held = (intervals[:, 0] <= accuracy) & (accuracy <= intervals[:, 1])
    assert binom.pmf(np.arange(images + 1), images, accuracy)[held].sum() >= 0.95


def test_of_few_images_the_interval_is_put_into_words():
    scores = score(np.arange(18) % 2, np.arange(18) % 2, "ab")
    assert caution(scores) == (
        "18 images are few: the true accuracy may be anywhere between 81.5% and 100%"
    )
    assert "1 image is few" in caution(score(np.array([0]), np.array([1]), "ab"))
    assert caution(score(np.arange(100) % 2, np.arange(100) % 2, "ab")) is None


def test_an_interval_that_had_collapsed_is_mended_as_it_is_read():
    scores = score(np.arange(18) % 2, np.arange(18) % 2, "ab")
    assert scores_from_dict({**scores_to_dict(scores), "interval": [1.0, 1.0]}) == scores


@pytest.mark.parametrize("interval", [[float("nan")] * 2, [float("inf")] * 2, [0.5, 7.0], [1, 1]])
def test_an_interval_that_is_none_is_not_put_into_words(interval):
    scores = scores_to_dict(score(TRUTH, SAID, NAMES))
    read = scores_from_dict({**scores, "interval": interval, "images": -1})
    assert caution(read) is None


def test_images_that_come_a_block_at_a_time_have_the_scores_of_all_at_once():
    truth, probabilities = random_case(5)
    said = probabilities.argmax(axis=1)
    sums = ProbabilitySums(9)
    for start in range(0, 300, 7):
        sums.add(truth[start : start + 7], probabilities[start : start + 7])
    blocks = score(truth, said, "abcdefghi", probabilities=sums)
    once = score(truth, said, "abcdefghi", probabilities=probabilities)
    assert blocks.top5 == once.top5
    for name in ("soft_f1", "log_loss", "calibration_error"):
        assert getattr(blocks, name) == pytest.approx(getattr(once, name), rel=1e-12)


def test_scores_survive_json():
    truth, probabilities = random_case(4)
    said = probabilities.argmax(axis=1)
    for given in (None, probabilities):
        scores = score(truth, said, "abcdefghi", split="x", probabilities=given)
        assert scores_from_dict(json.loads(json.dumps(scores_to_dict(scores)))) == scores


@pytest.mark.parametrize("data", [{}, {"classes": 3}, {"classes": [{"lab": 1}], "confusion": []}])
def test_what_is_no_scores_is_refused(data):
    with pytest.raises(FileFormatError):
        scores_from_dict(data)


def test_nothing_to_score_is_refused():
    with pytest.raises(UsageError):
        score(np.array([], int), np.array([], int), NAMES)


def test_of_images_without_any_label_every_average_is_zero():
    nothing = np.zeros((2, 3), bool)
    found = score_labels(nothing, nothing, np.full((2, 3), 0.1), ("a", "b", "c"), split="a test")
    assert found.accuracy == 1, "nothing is missing or wrong"
    assert (found.macro.recall, found.macro.f1, found.micro.f1) == (0, 0, 0)
    with pytest.raises(UsageError, match="cannot score 1 predictions of 2 images"):
        score_labels(nothing, nothing[:1], np.zeros((1, 3)), ("a", "b", "c"), split="a test")

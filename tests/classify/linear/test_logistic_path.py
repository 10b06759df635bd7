"""The path of C over all folds: where it ends, and what it says of itself."""

from functools import partial

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from penult.classify.kinds import logistic
from penult.classify.kinds.base import TrainingData
from penult.classify.linear import logistic_path
from penult.classify.linear.logistic import fit_path
from penult.classify.linear.logistic_path import LogisticPath, PathScore
from penult.classify.training.search import search
from penult.partition.splits import cross_validation

C_GRID = [{"C": c} for c in (0.1, 1.0, 10.0, 100.0, 1000.0)]


@pytest.fixture
def noisy():
    """Rows of classes that overlap in many dimensions: a large C learns the noise."""
    rng = np.random.default_rng(0)
    labels = np.arange(300) % 3
    rows = (np.eye(3, 40)[labels] + rng.normal(size=(300, 40))).astype(np.float32)
    folds = cross_validation(labels, None)
    return TrainingData(rows=rows, labels=labels, folds=folds, scale="l2")


def test_where_rows_are_many_the_path_ends_past_its_best_and_chooses_the_same(noisy, monkeypatch):
    full = search(noisy, {"logistic": C_GRID})
    assert full.not_tried == ()
    monkeypatch.setattr(logistic, "EARLY_STOP_ROWS", 100)
    steps = []
    short = search(noisy, {"logistic": C_GRID}, lambda: steps.append(1))
    assert short.best.params == full.best.params
    assert [t.params for t in short.trials] + [*short.not_tried] == C_GRID
    assert short.not_tried
    assert len(steps) == len(short.trials) * 3 + 1
    for mine, theirs in zip(short.trials, full.trials, strict=False):
        assert mine.mean == pytest.approx(theirs.mean, abs=1 / 300)
        assert mine.log_loss == pytest.approx(theirs.log_loss, rel=1e-3)
    assert (short.pipeline.predict(noisy.rows) == full.pipeline.predict(noisy.rows)).all()


@pytest.mark.parametrize(
    ("accuracies", "losses", "ended"),
    [
        # Of 10,000 images a standard error at 90% is 0.3%.
        pytest.param([0.90], [0.5], False, id="the first"),
        pytest.param([0.90, 0.89], [0.5, 0.6], True, id="worse in both"),
        pytest.param([0.90, 0.898], [0.5, 0.6], False, id="within a standard error"),
        pytest.param([0.90, 0.89], [0.5, 0.4], False, id="less accurate, and surer"),
        pytest.param([0.90, 0.91], [0.5, 0.6], False, id="more accurate"),
        pytest.param([0.90, 0.89, 0.89], [0.5, 0.4, 0.45], True, id="worse than the best"),
    ],
)
def test_the_path_ends_where_accuracy_and_log_loss_are_past_their_best(accuracies, losses, ended):
    scores = [PathScore((a,), loss) for a, loss in zip(accuracies, losses, strict=True)]
    assert logistic._has_passed_best(10_000, scores) is ended


@pytest.mark.parametrize("scale", ["l2", "standard"])
def test_the_fit_on_all_rows_is_the_minimum_wherever_it_starts(noisy, scale):
    path = LogisticPath(noisy.rows, noisy.labels, noisy.folds, scale)
    path.cross_validate([1.0, 100.0], lambda: None)
    alone = LogisticPath(noisy.rows, noisy.labels, noisy.folds, scale)
    alone.cross_validate([100.0], lambda: None)
    np.testing.assert_allclose(
        path.fit(100.0).coefficients, alone.fit(100.0).coefficients, atol=0.02
    )


def test_what_has_not_converged_is_said_once_for_all_folds(noisy, monkeypatch):
    monkeypatch.setattr(logistic_path, "fit_path", partial(fit_path, max_steps=1))
    with pytest.warns(
        ConvergenceWarning, match=r"not converged at C=0\.1, 1, 10.*scale='l2'"
    ) as said:
        search(noisy, {"logistic": C_GRID[:3]})
    assert len(said) == 1

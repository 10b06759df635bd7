"""The solver against scikit-learn's, run to convergence in float64."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, StandardScaler

from penult.classify.kinds.base import TrainingData
from penult.classify.kinds.registry import find_kind
from penult.classify.linear.basis import LinearWeights, principal_basis
from penult.classify.linear.logistic import fit_path, objective
from penult.classify.training.search import search
from penult.partition.splits import cross_validation

STRENGTHS = [0.1, 1.0, 10.0, 100.0, 1000.0, 10000.0]


def correlated_rows(n, width, classes, seed=0, spread=1.0):
    """Non-negative rows whose principal variances decay, like those of a network; classes overlap."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % classes
    latent = spread * rng.normal(size=(classes, 12))[labels] + rng.normal(size=(n, 12))
    rows = latent @ (rng.normal(size=(12, width)) / np.arange(1, 13)[:, None])
    return np.maximum(rows + 0.1 * rng.normal(size=(n, width)), 0).astype(np.float32), labels


def quick_solver(rows):
    """Which of scikit-learn's solvers converges in less time: Newton's steps are cheap of few columns."""
    return "newton-cholesky" if rows.shape[1] < len(rows) else "lbfgs"


def converged(rows, labels, strength):
    model = LogisticRegression(C=strength, solver=quick_solver(rows), tol=1e-9, max_iter=100_000)
    model.fit(rows.astype(np.float64), labels)
    return LinearWeights(model.coef_.T, model.intercept_)


@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize(
    ("n", "width"), [pytest.param(60, 100, id="wide"), pytest.param(300, 20, id="tall")]
)
def test_every_objective_on_the_path_is_scikit_learns_minimum(n, width, classes):
    rows, labels = correlated_rows(n, width, classes)
    basis = principal_basis(rows)
    for strength, found in zip(STRENGTHS, fit_path(basis.rows, labels, STRENGTHS), strict=True):
        mine = objective(rows, labels, basis.to_rows(found, rows), strength)
        theirs = objective(rows, labels, converged(rows, labels, strength), strength)
        assert mine <= theirs * (1 + 1e-6)
        assert mine >= theirs * (1 - 1e-4)  # theirs may stop early, but not by much


def test_the_path_may_be_walked_in_any_order():
    rows, labels = correlated_rows(80, 10, 3)
    up = dict(zip(STRENGTHS, fit_path(rows, labels, STRENGTHS), strict=True))
    down = dict(zip(STRENGTHS[::-1], fit_path(rows, labels, STRENGTHS[::-1]), strict=True))
    for strength in STRENGTHS:
        values = [objective(rows, labels, w[strength], strength) for w in (up, down)]
        assert values[0] == pytest.approx(values[1], rel=1e-6)


@pytest.mark.parametrize("width", [300, 20])
def test_the_basis_keeps_every_inner_product_of_the_centred_rows(width):
    rows, _ = correlated_rows(60, width, 4)
    basis = principal_basis(rows)
    centred = rows - rows.mean(axis=0, dtype=np.float64)
    assert basis.rows.shape[1] <= min(rows.shape)
    np.testing.assert_allclose(
        basis.rows.astype(np.float64) @ basis.rows.T, centred @ centred.T, atol=1e-4
    )


@pytest.mark.parametrize("width", [300, 20])
def test_a_solution_in_the_basis_says_the_same_of_the_rows_themselves(width):
    rows, labels = correlated_rows(60, width, 4)
    basis = principal_basis(rows)
    found = next(fit_path(basis.rows, labels, [10.0]))
    back = basis.to_rows(found, rows)
    np.testing.assert_allclose(
        rows @ back.coefficients + back.intercept,
        basis.rows @ found.coefficients + found.intercept,
        atol=1e-3,
    )


@pytest.mark.parametrize("scale", ["l2", "none", "standard"])
@pytest.mark.parametrize(
    ("n", "width", "classes"), [(90, 100, 5), (240, 20, 5), (90, 100, 2), (240, 20, 2)]
)
def test_grid_search_chooses_and_predicts_as_scikit_learn_does(scale, n, width, classes):
    rows, labels = correlated_rows(n, width, classes, seed=3, spread=0.4)
    folds = cross_validation(labels, None)
    tries = {"logistic": [{"C": c} for c in STRENGTHS[:4]]}
    found = search(TrainingData(rows=rows, labels=labels, folds=folds, scale=scale), tries)
    scaler = {"l2": [Normalizer()], "none": [], "standard": [StandardScaler()]}[scale]

    def chosen_by_theirs(results):
        # The least log-loss of those within a standard error of the most accurate.
        accuracies, losses = results["mean_test_accuracy"], -results["mean_test_neg_log_loss"]
        top = accuracies.max()
        return np.where(accuracies >= top - np.sqrt(top * (1 - top) / n), losses, np.inf).argmin()

    theirs = GridSearchCV(
        make_pipeline(
            *scaler, LogisticRegression(solver=quick_solver(rows), tol=1e-8, max_iter=100_000)
        ),
        {"logisticregression__C": STRENGTHS[:4]},
        cv=StratifiedKFold(3, shuffle=True, random_state=0),
        scoring=["accuracy", "neg_log_loss"],
        refit=chosen_by_theirs,
    ).fit(rows.astype(np.float64), labels)
    mine = [trial.mean for trial in found.trials]
    np.testing.assert_allclose(mine, theirs.cv_results_["mean_test_accuracy"], atol=1e-12)
    losses = [trial.log_loss for trial in found.trials]
    np.testing.assert_allclose(losses, -theirs.cv_results_["mean_test_neg_log_loss"], rtol=1e-3)
    assert found.best.params["C"] == theirs.best_params_["logisticregression__C"]
    same = found.pipeline.predict(rows) == theirs.predict(rows.astype(np.float64))
    assert same.mean() >= 0.999


@pytest.mark.parametrize("classes", [2, 4])
def test_the_pipeline_is_scikit_learns_own_and_gives_its_probabilities(classes):
    rows, labels = correlated_rows(90, 40, classes)
    mine = find_kind("logistic").fit(TrainingData(rows=rows, labels=labels + 3), {"C": 10.0})
    theirs = make_pipeline(Normalizer(), LogisticRegression(C=10, tol=1e-8, max_iter=10_000))
    theirs.fit(rows.astype(np.float64), labels + 3)
    assert mine.classes_.tolist() == theirs.classes_.tolist()
    assert mine[-1].coef_.shape == theirs[-1].coef_.shape
    np.testing.assert_allclose(mine.predict_proba(rows), theirs.predict_proba(rows), atol=1e-3)


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(np.zeros((12, 30)), id="all zero, wide"),
        pytest.param(np.zeros((12, 3)), id="all zero, tall"),
        pytest.param(np.tile(np.eye(3, 40), (4, 1)), id="three rows, each four times"),
        pytest.param(1e4 * np.eye(12, 40), id="as far apart as can be"),
        pytest.param(1e-6 * np.eye(12, 5), id="hardly apart"),
    ],
)
def test_degenerate_rows_have_an_optimum_too(rows):
    rows, labels = rows.astype(np.float32), np.arange(12) % 3
    basis = principal_basis(rows)
    for strength, found in zip(STRENGTHS, fit_path(basis.rows, labels, STRENGTHS), strict=True):
        back = basis.to_rows(found, rows)
        value = objective(rows, labels, back, strength)
        assert np.isfinite(value)
        assert value <= objective(rows, labels, LinearWeights(0 * back.coefficients, np.zeros(3)), strength) * (1 + 1e-6)  # fmt: skip


def test_large_c_on_classes_far_apart_reaches_the_minimum():
    # The probabilities round to one here, and the curvature must not round to zero with them.
    rows, labels = correlated_rows(60, 200, 4, spread=6)
    rows = (rows - rows.mean(axis=0)) / (rows.std(axis=0) + 1e-3)
    basis = principal_basis(rows)
    *_, found = fit_path(basis.rows, labels, STRENGTHS)
    mine = objective(rows, labels, basis.to_rows(found, rows), 1e4)
    theirs = objective(rows, labels, converged(rows, labels, 1e4), 1e4)
    assert mine <= theirs * (1 + 1e-6)
    coefficients = basis.to_rows(found, rows).coefficients
    assert (coefficients**2).sum() / 2 < mine  # finite: the penalty is a part of it

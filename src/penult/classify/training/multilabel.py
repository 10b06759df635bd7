"""Images of several labels: one classifier a label against the rest, and a threshold for each.

Every linear classifier ends as one logistic function a label: the decisions of the support vector
machine, of ridge regression and of the nearer of two means become probabilities by Platt's method
on the folds left out, and that is again a weight vector and an intercept. Nearest neighbours and
forests have several labels by themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.classify.linear.basis import Weights, principal_basis
from penult.classify.linear.logistic import fit_path
from penult.classify.linear.losses import SIGMOID
from penult.classify.training.kinds import make_pipeline, make_scaler
from penult.classify.training.search import Trial, choose, possible

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sklearn.pipeline import Pipeline

    from penult.partition.splits import Fold

__all__ = ["best_thresholds", "label_probabilities", "search_labels"]

LINEAR = ("logistic", "svm", "ridge", "centroid")


def search_labels(
    rows: NDArray[np.float32],
    targets: NDArray[np.bool_],
    folds: Sequence[Fold],
    tries: Mapping[str, Sequence[Mapping[str, Any]]],
    *,
    scale: str,
    seed: int,
    step: Callable[[], None],
) -> tuple[list[Trial], Trial, Pipeline, list[float]]:
    """Do as `penult.classify.training.search.search` does, for (n, K) bool targets.

    Returns
    -------
    trials : their ``accuracies`` are mean average precisions, which need no threshold
    best : of `choose`
    pipeline : the best one, fitted on all rows
    thresholds : (K,) chosen by `best_thresholds` on what the folds left out
    """
    from penult.classify.evaluation.label_scores import mean_average_precision

    trials: list[Trial] = []
    left_out: list[NDArray[np.float32]] = []
    for name, combinations in tries.items():
        combinations = possible(combinations, folds)
        # Of each fold, what each combination says of the rows it left out.
        said = np.zeros((len(combinations), *targets.shape), np.float32)
        for train, test in folds:
            fitted = _fit_each(
                rows[train], targets[train], name, combinations, scale=scale, seed=seed
            )
            for k, decide in enumerate(fitted):
                said[k, test] = decide(rows[test])
                step()
        for params, decided in zip(combinations, said, strict=True):
            found = tuple(mean_average_precision(targets[t], decided[t]) for _, t in folds)
            loss = None
            if name == "logistic":
                loss = float(SIGMOID.compare(decided, targets)[2].mean() / targets.shape[1])
            trials.append(Trial(name, params, found, loss))
            left_out.append(decided)
    best = choose(trials, len(rows))
    decided = left_out[trials.index(best)]
    pipeline, calibrate = _assemble(
        rows, targets, best.classifier, best.params, decided, scale=scale, seed=seed
    )
    step()
    return trials, best, pipeline, best_thresholds(targets, calibrate(decided))


def label_probabilities(pipeline: Pipeline, rows: NDArray[np.float32]) -> NDArray[np.float64]:
    """Apply a pipeline for several labels to (n, D) rows: (n, K), each in [0, 1]."""
    found = pipeline.predict_proba(rows)
    if isinstance(found, list):  # nearest neighbours, forests: absent and present, label by label
        found = np.stack([each[:, 1] for each in found], axis=1)
    return np.asarray(found, np.float64)


def best_thresholds(
    targets: NDArray[np.bool_], probabilities: NDArray[np.floating[Any]]
) -> list[float]:
    """Choose each label's threshold so that its F1 is the highest.

    The cut is half-way between two neighbouring probabilities (the "S-cut" of Yang, "A study of
    thresholding strategies for text categorization", SIGIR 2001); of equally good cuts the one
    nearest to 1/2 is taken.

    Parameters
    ----------
    targets, probabilities : (n, K); of rows that the classifier behind them had not seen
    """
    result = []
    for truth, said in zip(targets.T, probabilities.T.astype(np.float64), strict=True):
        order = np.argsort(-said, kind="stable")
        values, hits = said[order], np.cumsum(truth[order])
        f1 = 2 * hits / (np.arange(1, len(said) + 1) + truth.sum())
        below = np.append(values[1:], 0.0)
        f1[values == below] = -1  # a cut between equals is none
        cuts = (values + below) / 2
        good = np.flatnonzero(f1 >= f1.max() - 1e-12)
        result.append(float(cuts[good[np.abs(cuts[good] - 0.5).argmin()]]))
    return result


def _fit_each(
    rows: NDArray[np.float32],
    targets: NDArray[np.bool_],
    name: str,
    combinations: Sequence[Mapping[str, Any]],
    *,
    scale: str,
    seed: int,
) -> list[Callable[[NDArray[np.float32]], NDArray[np.floating[Any]]]]:
    # One function a combination, from rows to decisions (n, K): the higher the more likely.
    if name not in LINEAR:
        pipelines = [
            make_pipeline(name, scale, seed=seed, params=params).fit(rows, targets)
            for params in combinations
        ]
        return [partial(label_probabilities, pipeline) for pipeline in pipelines]
    scaler = make_scaler(scale)
    scaled = rows if scaler is None else scaler.fit(rows).transform(rows)
    solutions = _weights(scaled, targets, name, combinations, seed)

    def decide(weights: Weights, new: NDArray[np.float32]) -> NDArray[np.float64]:
        seen = new if scaler is None else scaler.transform(new)
        result: NDArray[np.float64] = seen @ weights.coefficients + weights.intercept
        return result

    return [partial(decide, weights) for weights in solutions]


def _weights(
    scaled: NDArray[np.float32],
    targets: NDArray[np.bool_],
    name: str,
    combinations: Sequence[Mapping[str, Any]],
    seed: int,
) -> list[Weights]:
    if name == "logistic":
        basis = principal_basis(scaled)
        strengths = [float(params["C"]) for params in combinations]
        ascending = sorted(set(strengths))
        path = dict(zip(ascending, fit_path(basis.rows, targets, ascending), strict=True))
        return [basis.to_rows(path[strength], scaled) for strength in strengths]
    if name == "centroid":
        # |x - m'|² - |x - m|², the means without and with the label.
        inside, outside = (
            np.stack([scaled[chosen].mean(axis=0, dtype=np.float64) for chosen in mask.T])
            for mask in (targets, ~targets)
        )
        intercept = (outside**2).sum(axis=1) - (inside**2).sum(axis=1)
        return [Weights(2 * (inside - outside).T, intercept)]
    result = []
    for params in combinations:
        models = [
            make_pipeline(name, "none", seed=seed, params=params)[-1].fit(scaled, column)
            for column in targets.T
        ]
        coefficients = np.stack([model.coef_.ravel() for model in models], axis=1)
        intercept = np.array([float(np.ravel(model.intercept_)[0]) for model in models])
        result.append(Weights(coefficients.astype(np.float64), intercept))
    return result


def _assemble(
    rows: NDArray[np.float32],
    targets: NDArray[np.bool_],
    name: str,
    params: Mapping[str, Any],
    left_out: NDArray[np.floating[Any]],
    *,
    scale: str,
    seed: int,
) -> tuple[Pipeline, Callable[[NDArray[Any]], NDArray[np.floating[Any]]]]:
    # The pipeline, and what makes probabilities of decisions.
    from scipy.special import expit
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.preprocessing import LabelBinarizer

    pipeline = make_pipeline(name, scale, seed=seed, params=params)
    if name not in LINEAR:
        return pipeline.fit(rows, targets), lambda decisions: decisions
    scaled = rows
    for _, scaler in pipeline.steps[:-1]:
        scaled = scaler.fit(rows).transform(rows)
    (weights,) = _weights(scaled, targets, name, [params], seed)
    slope, offset = np.ones(targets.shape[1]), np.zeros(targets.shape[1])
    if name != "logistic":
        slope, offset = _platt(left_out, targets)
    models = []
    for k in range(targets.shape[1]):
        model = LogisticRegression(random_state=seed)
        model.classes_ = np.array([0, 1])
        model.coef_ = (slope[k] * weights.coefficients[:, k : k + 1].T).astype(np.float32)
        model.intercept_ = np.float32(slope[k] * weights.intercept[k : k + 1] + offset[k])
        model.n_features_in_ = rows.shape[1]
        models.append(model)
    together = OneVsRestClassifier(LogisticRegression(random_state=seed))
    together.estimators_ = models
    together.label_binarizer_ = LabelBinarizer().fit(targets.astype(int))
    together.classes_ = together.label_binarizer_.classes_
    together.n_features_in_ = rows.shape[1]
    pipeline.steps[-1] = ("classifier", together)
    return pipeline, lambda decisions: expit(slope * decisions + offset)


def _platt(
    decisions: NDArray[np.floating[Any]], targets: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    # Platt's method, label by label: probabilities are expit(slope * decision + offset).
    from sklearn.calibration import _SigmoidCalibration

    fitted = [
        _SigmoidCalibration().fit(column, truth)
        for column, truth in zip(decisions.T.astype(np.float64), targets.T, strict=True)
    ]
    return -np.array([f.a_ for f in fitted]), -np.array([f.b_ for f in fitted])

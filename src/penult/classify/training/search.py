"""Cross-validated choice of a classifier and its parameters, each kind by its fastest exact way."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.classify.linear.assemble import linear_pipeline, sharpened_pipeline
from penult.classify.linear.basis import Weights, principal_basis
from penult.classify.linear.centroid import nearest_mean
from penult.classify.linear.logistic import fit_path
from penult.classify.linear.logistic_path import logistic_paths, numbered, scaled_rows
from penult.classify.linear.sharpness import sharpness
from penult.classify.training.kinds import find_classifier, make_pipeline, make_scaler
from penult.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sklearn.pipeline import Pipeline

    from penult.partition.splits import Fold

__all__ = ["Trial", "choose", "fit_decisions", "fit_one", "possible", "search"]

Step = Callable[[], None]


@dataclass(frozen=True)
class Trial:
    """One combination of the grid and its accuracy on each fold.

    Of logistic regression, which is as sure of itself as its C makes it, also its log-loss on all
    of them, in nats.
    """

    classifier: str
    params: Mapping[str, Any]
    accuracies: tuple[float, ...]
    log_loss: float | None = None

    @property
    def mean(self) -> float:
        """Mean accuracy over the folds."""
        return float(np.mean(self.accuracies))

    def to_dict(self) -> dict[str, Any]:
        """JSON-like form, for the classifier's settings."""
        return {
            "classifier": self.classifier,
            "params": dict(self.params),
            "mean": self.mean,
            "std": float(np.std(self.accuracies)),
            "log_loss": self.log_loss,
        }


def choose(trials: Sequence[Trial], images: int) -> Trial:
    """Choose the most accurate trial, and of those as good as that, the one with least log-loss.

    Those are as good whose accuracy is less by no more than a standard error (the rule of Breiman
    et al. 1984, section 3.4.3), or than one image, for the standard error is none where all are
    right. The smallest C that separates a few images leaves every probability near 1/K.

    Parameters
    ----------
    trials : one or more
    images : in all folds
    """
    best = max(trials, key=lambda trial: trial.mean)
    if best.log_loss is None:
        return best
    # An image in a small fold counts a little more than one in all.
    margin = max(math.sqrt(best.mean * (1 - best.mean) / images), 1.5 / images)
    equals = [
        trial
        for trial in trials
        if trial.classifier == best.classifier and trial.mean >= best.mean - margin
    ]
    return min(equals, key=lambda trial: trial.log_loss or 0.0)


def search(
    rows: NDArray[np.float32],
    truth: NDArray[np.int64],
    folds: Sequence[Fold],
    tries: Mapping[str, Sequence[Mapping[str, Any]]],
    *,
    scale: str,
    seed: int,
    step: Step,
) -> tuple[list[Trial], Trial, Pipeline]:
    """Try every combination on every fold and fit the best one on all rows.

    Parameters
    ----------
    rows : (n, D) float32
    truth : (n,) int64 classes
    folds : of the rows
    tries : classifier name to the combinations of its parameters
    step : called after each fit: ``combinations * folds`` times at most, and once at the end

    Returns
    -------
    trials : in the order of `tries`, without those that ask for more neighbours than rows
    best : of `choose`
    pipeline : the best one, fitted on all rows
    """
    trials: list[Trial] = []
    found: Sequence[tuple[tuple[float, ...], float | None]]
    solved: dict[float, Weights] = {}
    for name, combinations in tries.items():
        if name == "logistic":
            strengths = [float(params["C"]) for params in combinations]
            found, solved = logistic_paths(rows, truth, folds, strengths, scale, step)
        else:
            combinations = possible(combinations, folds)
            found = [
                (_accuracies(rows, truth, folds, name, params, scale, seed, step), None)
                for params in combinations
            ]
        trials += [Trial(name, c, *pair) for c, pair in zip(combinations, found, strict=True)]
    best = choose(trials, len(truth))
    if best.classifier == "logistic":
        strength = float(best.params["C"])
        pipeline = _assemble(rows, truth, solved[strength], scale, seed, C=strength)
    else:
        pipeline = fit_one(
            rows, truth, best.classifier, best.params, scale=scale, seed=seed, folds=folds
        )
    step()
    return trials, best, pipeline


def fit_one(
    rows: NDArray[np.float32],
    truth: NDArray[np.int64],
    classifier: str,
    params: Mapping[str, Any],
    *,
    scale: str,
    seed: int,
    folds: Sequence[Fold] = (),
) -> Pipeline:
    """Fit one classifier with given parameters on (n, D) rows.

    Parameters
    ----------
    folds : of these rows; on the parts left out it is found how sure the classifier may be, but
        for logistic and knn, whose probabilities are their own
    """
    if classifier == "logistic":
        strength = float(params["C"])
        scaled = scaled_rows(rows, rows, scale)
        basis = principal_basis(scaled)
        weights = next(fit_path(basis.rows, numbered(truth), [strength]))
        return _assemble(rows, truth, basis.to_rows(weights, scaled), scale, seed, C=strength)
    if classifier == "centroid":
        weights = nearest_mean(scaled_rows(rows, rows, scale), numbered(truth), folds)
        return _assemble(rows, truth, weights, scale, seed)

    def fit(part: NDArray[np.int64] | slice) -> Pipeline:
        unfitted = make_pipeline(classifier, scale, seed=seed, params=params)
        return unfitted.fit(rows[part], truth[part])

    pipeline = fit(slice(None))
    if not find_classifier(classifier).calibrated:
        return pipeline
    left_out = np.empty((len(rows), len(pipeline.classes_)))
    for train, test in folds:
        left_out[test] = _decisions(fit(train), rows[test])
    factor = sharpness(left_out, numbered(truth)) if len(folds) else 1.0
    if classifier == "forest":
        unfitted = make_pipeline(classifier, scale, seed=seed, params=params)[-1]
        return sharpened_pipeline(pipeline, unfitted, factor, len(folds))
    linear = pipeline[-1]
    weights = Weights(factor * np.atleast_2d(linear.coef_).T, factor * np.ravel(linear.intercept_))
    return _assemble(rows, truth, weights, scale, seed)


def fit_decisions(
    rows: NDArray[np.float32],
    truth: NDArray[np.int64],
    classifier: str,
    params: Mapping[str, Any],
    *,
    scale: str,
    seed: int,
) -> Pipeline:
    """Fit as `fit_one` does, for ``predict`` alone: without probabilities, and so without folds."""
    if classifier in ("logistic", "centroid"):
        return fit_one(rows, truth, classifier, params, scale=scale, seed=seed)
    return make_pipeline(classifier, scale, seed=seed, params=params).fit(rows, truth)


def _decisions(pipeline: Pipeline, rows: NDArray[np.float32]) -> NDArray[np.float64]:
    # Up to a factor, logits, (n, K).
    if hasattr(pipeline, "decision_function"):
        decided = np.asarray(pipeline.decision_function(rows), np.float64)
        return decided if decided.ndim == 2 else np.stack([0 * decided, decided], axis=1)
    # As scikit-learn's temperature has it.
    logits: NDArray[np.float64] = np.log(pipeline.predict_proba(rows) + 1e-12)
    return logits


def possible(
    combinations: Sequence[Mapping[str, Any]], folds: Sequence[Fold]
) -> Sequence[Mapping[str, Any]]:
    """Leave out the combinations that ask for more neighbours than a fold has rows to train with.

    Raises
    ------
    UsageError
        If none is left.
    """
    fewest = min(len(train) for train, _ in folds)
    kept = [params for params in combinations if params.get("n_neighbors", 0) <= fewest]
    if not kept:
        raise UsageError(f"the folds have {fewest} rows to train with; give fewer n_neighbors")
    return kept


def _accuracies(
    rows: NDArray[np.float32],
    truth: NDArray[np.int64],
    folds: Sequence[Fold],
    classifier: str,
    params: Mapping[str, Any],
    scale: str,
    seed: int,
    step: Step,
) -> tuple[float, ...]:
    result = []
    for train, test in folds:
        pipeline = fit_decisions(
            rows[train], truth[train], classifier, params, scale=scale, seed=seed
        )
        result.append(float((pipeline.predict(rows[test]) == truth[test]).mean()))
        step()
    return tuple(result)


def _assemble(
    rows: NDArray[np.float32],
    truth: NDArray[np.int64],
    weights: Weights,
    scale: str,
    seed: int,
    **params: float,
) -> Pipeline:
    scaler = make_scaler(scale)
    if scale == "standard":
        scaler.fit(rows)
    return linear_pipeline(scale, scaler, weights, np.unique(truth), seed=seed, params=params)

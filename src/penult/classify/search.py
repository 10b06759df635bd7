"""Cross-validated choice of a classifier and its parameters, each kind by its fastest exact way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.classify.assemble import linear_pipeline
from penult.classify.basis import Weights, principal_basis
from penult.classify.centroid import nearest_mean
from penult.classify.classifiers import find_classifier, make_pipeline, make_scaler
from penult.classify.logistic import fit_path
from penult.classify.paths import logistic_paths, numbered, scaled_rows
from penult.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sklearn.pipeline import Pipeline

    from penult.classify.splits import Fold

__all__ = ["Trial", "fit_decisions", "fit_one", "possible", "search"]

Step = Callable[[], None]


@dataclass(frozen=True)
class Trial:
    """One combination of the grid and its accuracy on each fold."""

    classifier: str
    params: Mapping[str, Any]
    accuracies: tuple[float, ...]

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
        }


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
    best : the first of those with the highest mean accuracy
    pipeline : the best one, fitted on all rows
    """
    trials: list[Trial] = []
    solved: dict[float, Weights] = {}
    for name, combinations in tries.items():
        if name == "logistic":
            strengths = [float(params["C"]) for params in combinations]
            accuracies, solved = logistic_paths(rows, truth, folds, strengths, scale, step)
        else:
            combinations = possible(combinations, folds)
            accuracies = [
                _accuracies(rows, truth, folds, name, params, scale, seed, step)
                for params in combinations
            ]
        trials += [Trial(name, *pair) for pair in zip(combinations, accuracies, strict=True)]
    best = max(trials, key=lambda trial: trial.mean)
    if best.classifier == "logistic":
        strength = float(best.params["C"])
        pipeline = _assemble(rows, truth, solved[strength], strength, scale, seed)
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
    folds : of these rows; decisions are turned into probabilities on the parts left out, by the
        classifiers that have no probabilities of their own
    """
    if classifier == "logistic":
        strength = float(params["C"])
        scaled = scaled_rows(rows, rows, scale)
        basis = principal_basis(scaled)
        weights = next(fit_path(basis.rows, numbered(truth), [strength]))
        return _assemble(rows, truth, basis.to_rows(weights, scaled), strength, scale, seed)
    pipeline = make_pipeline(classifier, scale, seed=seed, params=params)
    if classifier == "centroid":
        weights = nearest_mean(scaled_rows(rows, rows, scale), numbered(truth), folds)
        return _assemble(rows, truth, weights, 1.0, scale, seed)
    if find_classifier(classifier).calibrated:
        from sklearn.calibration import CalibratedClassifierCV

        calibrated = CalibratedClassifierCV(pipeline[-1], cv=list(folds), ensemble=False)
        pipeline.steps[-1] = ("classifier", calibrated)
        pipeline.fit(rows, truth)
        calibrated.cv = len(folds)  # the row numbers themselves are no part of a classifier
        return pipeline
    return pipeline.fit(rows, truth)


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
    strength: float,
    scale: str,
    seed: int,
) -> Pipeline:
    scaler = make_scaler(scale)
    if scale == "standard":
        scaler.fit(rows)
    return linear_pipeline(
        "logistic", scale, scaler, weights, np.unique(truth), params={"C": strength}, seed=seed
    )

"""Cross-validated choice of a classifier and its parameters, each kind by its fastest exact way."""

from __future__ import annotations

import queue
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.classify.assemble import linear_pipeline
from penult.classify.basis import Basis, Weights, principal_basis
from penult.classify.centroid import nearest_mean
from penult.classify.classifiers import find_classifier, make_pipeline, make_scaler
from penult.classify.logistic import fit_path
from penult.engines.base import cores
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
            accuracies, solved = _logistic_paths(rows, truth, folds, strengths, scale, step)
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
        scaled = _scaled(rows, rows, scale)
        basis = principal_basis(scaled)
        weights = next(fit_path(basis.rows, _numbered(truth), [strength]))
        return _assemble(rows, truth, basis.to_rows(weights, scaled), strength, scale, seed)
    pipeline = make_pipeline(classifier, scale, seed=seed, params=params)
    if classifier == "centroid":
        weights = nearest_mean(_scaled(rows, rows, scale), _numbered(truth), folds)
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


def _logistic_paths(
    rows: NDArray[np.float32],
    truth: NDArray[np.int64],
    folds: Sequence[Fold],
    strengths: Sequence[float],
    scale: str,
    step: Step,
) -> tuple[list[tuple[float, ...]], dict[float, Weights]]:
    # The accuracies, (strengths, folds), and the solutions on all rows. These are one task beside
    # the folds, so that the last fit needs no time of its own.
    labels = _numbered(truth)
    ascending = sorted(set(strengths))
    everything = np.arange(len(rows))
    # A scaling that learns has to be learned on each fold's own training rows; otherwise all folds
    # share one basis.
    shared: tuple[NDArray[np.float32], Basis] | None = None
    if scale != "standard":
        scaled = _scaled(rows, rows, scale)
        shared = scaled, principal_basis(scaled)

    def path(
        fold: tuple[NDArray[np.int64], NDArray[np.int64] | None], tick: Callable[[], bool]
    ) -> dict[float, Any]:
        train, test = fold
        scaled, basis = shared or (_scaled(rows[train], rows[train], scale), None)
        if basis is None:
            basis = principal_basis(scaled)
            turned = basis.rows
        else:
            turned = basis.rows[train]
        found: dict[float, Any] = {}
        for strength, weights in zip(
            ascending, fit_path(turned, labels[train], ascending), strict=True
        ):
            if test is None:
                found[strength] = basis.to_rows(weights, scaled)
            elif shared:
                found[strength] = _accuracy(basis.rows[test], labels[test], weights)
            else:
                unseen = _scaled(rows[train], rows[test], scale)
                found[strength] = _accuracy(unseen, labels[test], basis.to_rows(weights, scaled))
            if tick():
                break
        return found

    *by_fold, solved = _in_threads(path, [*folds, (everything, None)], step, len(strengths))
    return [tuple(fold[c] for fold in by_fold) for c in map(float, strengths)], solved


def _in_threads(
    work: Callable[[Any, Callable[[], bool]], Any], tasks: Sequence[Any], step: Step, each: int
) -> list[Any]:
    # Threads are enough: the time is spent in BLAS. One BLAS thread a task rather than all for
    # each: small products gain nothing from more, and lose much on a busy machine.
    from threadpoolctl import threadpool_limits

    available = cores()
    workers = min(available, len(tasks))
    ticks: queue.SimpleQueue[None] = queue.SimpleQueue()
    stop = Event()

    def tick() -> bool:
        ticks.put(None)
        return stop.is_set()

    with (
        threadpool_limits(max(1, available // workers), user_api="blas"),
        ThreadPoolExecutor(workers) as pool,
    ):
        futures: list[Future[Any]] = [pool.submit(work, task, tick) for task in tasks]
        # Progress is told from the calling thread; the last task's ticks are not told.
        untold = each * (len(tasks) - 1)
        try:
            while wait(futures, timeout=0.05).not_done:
                for _ in range(min(ticks.qsize(), untold)):
                    ticks.get()
                    untold -= 1
                    step()
            for _ in range(untold):
                step()
            return [future.result() for future in futures]
        finally:
            stop.set()


def _accuracy(rows: NDArray[np.float32], labels: NDArray[np.int64], weights: Weights) -> float:
    logits = rows @ weights.coefficients + weights.intercept
    said = (logits[:, 0] > 0).astype(int) if logits.shape[1] == 1 else logits.argmax(axis=1)
    return float((said == labels).mean())


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


def _scaled(
    seen: NDArray[np.float32], rows: NDArray[np.float32], scale: str
) -> NDArray[np.float32]:
    scaler = make_scaler(scale)
    return rows if scaler is None else scaler.fit(seen).transform(rows)


def _numbered(truth: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.unique(truth, return_inverse=True)[1]

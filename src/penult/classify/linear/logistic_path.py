"""Logistic regression along the path of C, all folds at once: they share a basis and the cores."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.classify.linear.basis import Basis, LinearWeights, principal_basis
from penult.classify.linear.logistic import fit_path, warn_not_converged
from penult.classify.linear.losses import SOFTMAX
from penult.classify.linear.newton import TOLERANCE
from penult.classify.pipeline import make_scaler
from penult.machine import cores

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.partition.splits import Fold

__all__ = ["LogisticPath", "PathScore", "numbered", "scaled_rows"]


@dataclass(frozen=True)
class PathScore:
    """What the folds made of one C.

    Attributes
    ----------
    accuracies : tuple of float
        Of each fold.
    log_loss : float
        On the rows that the folds left out together, in nats.
    """

    accuracies: tuple[float, ...]
    log_loss: float

    @property
    def mean(self) -> float:
        """Mean accuracy over the folds."""
        return float(np.mean(self.accuracies))


class LogisticPath:
    """Cross-validates logistic regression along a path of C, and fits it on all rows.

    Parameters
    ----------
    rows : (n, D) float32
        As they are; they are scaled here.
    labels : (n,) int64
        Classes.
    folds : sequence of (train, test)
        Places among the rows.
    scale : str
        See `penult.classify.pipeline.make_scaler`. A scaling that learns is learned on each fold's
        own training rows; otherwise all folds share one basis.
    tolerance : float
        Of the fits on the folds; see `penult.classify.linear.newton.minimise`.
    """

    def __init__(
        self,
        rows: NDArray[np.float32],
        labels: NDArray[np.int64],
        folds: Sequence[Fold],
        scale: str,
        *,
        tolerance: float = TOLERANCE,
    ) -> None:
        self.rows, self.folds, self.scale, self.tolerance = rows, folds, scale, tolerance
        self.labels = numbered(labels)
        self.scaled: NDArray[np.float32] | None = scaled_rows(rows, rows, scale)
        self.basis = principal_basis(self.scaled)
        if self.basis.mixture is None:
            self.scaled = None
        self.tried: list[float] = []
        self.failed: set[float] = set()
        # C to what the folds found, on average: where to start on all rows.
        self.averages: dict[float, LinearWeights] = {}

    def cross_validate(
        self,
        strengths: Collection[float],
        step: Callable[[], None],
        has_passed_best: Callable[[Sequence[PathScore]], bool] | None = None,
    ) -> dict[float, PathScore]:
        """Score each C on every fold, the smallest first.

        Parameters
        ----------
        strengths : collection of float
            The values of C, each once.
        step : callable
            Called after each fit, from this thread.
        has_passed_best : callable, optional
            Given the scores so far, says whether larger values of C need not be tried; by default
            all are.

        Returns
        -------
        dict
            C to its score; without those that were not tried.
        """
        ascending = sorted(strengths)
        fits = [self._on_fold(fold, ascending) for fold in self.folds]
        scores: dict[float, PathScore] = {}
        # Threads are enough: the time is spent in BLAS.
        with _shared_cores(len(fits)) as pool:
            for strength in ascending:
                self.tried.append(strength)
                found = []
                for one in pool.map(next, fits):
                    found.append(one)
                    step()
                accuracies, losses, weights = zip(*found, strict=True)
                n_scored = sum(len(test) for _, test in self.folds)
                scores[strength] = PathScore(accuracies, sum(losses) / n_scored)
                if not all(one.converged for one in weights):
                    self.failed.add(strength)
                if self.scale != "standard":  # each fold has a basis of its own there
                    self.averages[strength] = _average(weights)
                if has_passed_best is not None and has_passed_best([*scores.values()]):
                    break
        warn_not_converged(self.failed)
        return scores

    def fit(self, strength: float) -> LinearWeights:
        """Fit on all rows, for a C that was tried, from what the folds found."""
        start = self.averages.get(strength)
        # Where the folds found nothing to start from, the path leads there.
        path = [strength] if start else [c for c in self.tried if c <= strength]
        *_, weights = fit_path(self.basis.rows, self.labels, path, start=start, center=False)
        if not weights.converged and strength not in self.failed:  # said already
            warn_not_converged([strength])
        return self.basis.to_rows(weights, self.scaled)

    def _on_fold(
        self, fold: Fold, strengths: Sequence[float]
    ) -> Iterator[tuple[float, float, LinearWeights]]:
        # Accuracy, sum of the log-losses, and the solution in the basis of the fold, for each C.
        train, test = fold
        basis: Basis | None = None
        if self.scale == "standard":
            scaled = scaled_rows(self.rows[train], self.rows[train], self.scale)
            basis = principal_basis(scaled)
            seen, unseen = basis.rows, scaled_rows(self.rows[train], self.rows[test], self.scale)
        else:
            seen, unseen = self.basis.rows[train], self.basis.rows[test]
        path = fit_path(seen, self.labels[train], strengths, tolerance=self.tolerance, center=False)
        for weights in path:
            judged = weights if basis is None else basis.to_rows(weights, scaled)
            yield *_score(unseen, self.labels[test], judged), weights


@contextmanager
def _shared_cores(tasks: int) -> Iterator[ThreadPoolExecutor]:
    # A pool of threads, each with as few BLAS threads as go round: small products gain nothing
    # from more, and lose much on a busy machine.
    from threadpoolctl import threadpool_limits

    workers = min(cores(), tasks)
    with (
        threadpool_limits(max(1, cores() // workers), user_api="blas"),
        ThreadPoolExecutor(workers) as pool,
    ):
        yield pool


def _average(weights: Sequence[LinearWeights]) -> LinearWeights:
    return LinearWeights(
        np.mean([one.coefficients for one in weights], axis=0),
        np.mean([one.intercept for one in weights], axis=0),
    )


def _score(
    rows: NDArray[np.float32], labels: NDArray[np.int64], weights: LinearWeights
) -> tuple[float, float]:
    # Accuracy, and the sum of the log-losses.
    logits = rows @ weights.coefficients + weights.intercept
    if logits.shape[1] == 1:
        logits = np.concatenate([np.zeros_like(logits), logits], axis=1)
    losses = SOFTMAX.evaluate(logits, labels)[2]
    return float((logits.argmax(axis=1) == labels).mean()), float(losses.sum())


def scaled_rows(
    seen: NDArray[np.float32], rows: NDArray[np.float32], scale: str
) -> NDArray[np.float32]:
    """Scale `rows` by what the scaling learns from `seen`."""
    scaler: Any = make_scaler(scale)
    return rows if scaler is None else scaler.fit(seen).transform(rows)


def numbered(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number the classes that occur 0 ... K - 1."""
    return np.unique(labels, return_inverse=True)[1]

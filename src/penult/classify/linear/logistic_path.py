"""Logistic regression along the path of C, all folds at once: they share a basis and the cores."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from penult.classify.linear.basis import Basis, LinearWeights, principal_basis, row_blocks
from penult.classify.linear.logistic import fit_path, warn_not_converged
from penult.classify.linear.losses import SOFTMAX, class_weights
from penult.classify.linear.newton import TOLERANCE
from penult.classify.preparation import Preparation
from penult.machine import cores

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.partition.splits import Fold

__all__ = ["LogisticPath", "PathScore", "numbered"]


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
        See `penult.classify.preparation.make_scaler`. A scaling that learns is learned on each
        fold's own training rows; otherwise all folds share one basis.
    reduce : int, optional
        How many principal components of each fold's own training rows it learns from.
    class_weight : {"balanced"}, optional
        How much the rows of each class count.
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
        reduce: int | None = None,
        class_weight: str | None = None,
        tolerance: float = TOLERANCE,
    ) -> None:
        self.folds, self.reduce, self.class_weight = folds, reduce, class_weight
        self.tolerance = tolerance
        self.labels = numbered(labels)
        self.preparation, prepared = Preparation.fit(rows, scale, reduce)
        self.basis = principal_basis(prepared)
        self.prepared = None if self.basis.mixture is None else prepared
        # Where what is done to rows is learned from them, each fold learns it, and has a basis of
        # its own: of these rows, scaled so.
        self.each_learns = scale == "standard" or reduce is not None
        self.rows, self.scale = rows, scale
        if reduce is not None and scale != "standard" and len(rows) < rows.shape[1]:
            # Principal components are the same in any basis that spans the rows, and in one of them
            # a row has no more numbers than there are rows.
            turned = principal_basis(Preparation.fit(rows, scale)[1]).rows
            if turned.shape[1] >= reduce:
                self.rows, self.scale = turned, "none"
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
                if not self.each_learns:
                    self.averages[strength] = _average(weights)
                if has_passed_best is not None and has_passed_best([*scores.values()]):
                    break
        warn_not_converged(self.failed)
        return scores

    def fit(self, strength: float) -> LinearWeights:
        """Fit on all rows, as `preparation` gives them, for a C that was tried."""
        start = self.averages.get(strength)
        # Where the folds found nothing to start from, the path leads there.
        path = [strength] if start else [c for c in self.tried if c <= strength]
        *_, weights = fit_path(
            self.basis.rows,
            self.labels,
            path,
            class_weights=class_weights(self.labels, self.class_weight),
            start=start,
            center=False,
        )
        if not weights.converged and strength not in self.failed:  # said already
            warn_not_converged([strength])
        return self.basis.to_rows(weights, self.prepared)

    def _on_fold(
        self, fold: Fold, strengths: Sequence[float]
    ) -> Iterator[tuple[float, float, LinearWeights]]:
        # Accuracy, sum of the log-losses, and the solution in the basis of the fold, for each C.
        train, test = fold
        basis: Basis | None = None
        if self.each_learns:
            preparation, own = Preparation.fit(self.rows[train], self.scale, self.reduce)
            basis = principal_basis(own)
            seen, unseen = basis.rows, preparation.transform(self.rows[test])
        else:
            seen, unseen = self.basis.rows[train], self.basis.rows[test]
        path = fit_path(
            seen,
            self.labels[train],
            strengths,
            class_weights=class_weights(self.labels[train], self.class_weight),
            tolerance=self.tolerance,
            center=False,
        )
        for weights in path:
            judged = weights if basis is None else basis.to_rows(weights, own)
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
    right, loss = 0, 0.0
    for part in row_blocks(rows, weights.coefficients.shape[1]):
        logits = rows[part] @ weights.coefficients + weights.intercept
        if logits.shape[1] == 1:
            logits = np.concatenate([np.zeros_like(logits), logits], axis=1)
        loss += float(SOFTMAX.evaluate(logits, labels[part])[2].sum())
        right += int((logits.argmax(axis=1) == labels[part]).sum())
    return right / len(rows), loss


def numbered(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number the classes that occur 0 ... K - 1."""
    return np.unique(labels, return_inverse=True)[1]

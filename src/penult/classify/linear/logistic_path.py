"""Logistic regression along the path of C, all folds at once: they share a basis and the cores."""

from __future__ import annotations

import queue
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Event
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.classify.linear.basis import Basis, Weights, principal_basis
from penult.classify.linear.logistic import fit_path
from penult.classify.linear.losses import SOFTMAX
from penult.classify.pipeline import make_scaler
from penult.machine import cores

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.partition.splits import Fold

__all__ = ["logistic_paths", "numbered", "scaled_rows"]

Step = Callable[[], None]


def logistic_paths(
    rows: NDArray[np.float32],
    truth: NDArray[np.int64],
    folds: Sequence[Fold],
    strengths: Sequence[float],
    scale: str,
    step: Step,
) -> tuple[list[tuple[tuple[float, ...], float]], dict[float, Weights]]:
    """Fit logistic regression for every C on every fold, and on all rows.

    Returns
    -------
    found : for each of `strengths`, each fold's accuracy, and the log-loss on all of them
    solved : C to its solution on all rows. These are one task beside the folds, so that the last
        fit needs no time of its own.
    """
    labels = numbered(truth)
    ascending = sorted(set(strengths))
    everything = np.arange(len(rows))
    # A scaling that learns has to be learned on each fold's own training rows; otherwise all folds
    # share one basis.
    shared: tuple[NDArray[np.float32], Basis] | None = None
    if scale != "standard":
        scaled = scaled_rows(rows, rows, scale)
        shared = scaled, principal_basis(scaled)

    def path(
        fold: tuple[NDArray[np.int64], NDArray[np.int64] | None], tick: Callable[[], bool]
    ) -> dict[float, Any]:
        train, test = fold
        scaled, basis = shared or (scaled_rows(rows[train], rows[train], scale), None)
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
                found[strength] = _judge(basis.rows[test], labels[test], weights)
            else:
                unseen = scaled_rows(rows[train], rows[test], scale)
                found[strength] = _judge(unseen, labels[test], basis.to_rows(weights, scaled))
            if tick():
                break
        return found

    *by_fold, solved = _in_threads(path, [*folds, (everything, None)], step, len(strengths))
    judged = []
    for c in map(float, strengths):
        accuracies, losses = zip(*(fold[c] for fold in by_fold), strict=True)
        judged.append((accuracies, sum(losses) / sum(len(test) for _, test in folds)))
    return judged, solved


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


def _judge(
    rows: NDArray[np.float32], labels: NDArray[np.int64], weights: Weights
) -> tuple[float, float]:
    # Accuracy, and the sum of the log-losses.
    logits = rows @ weights.coefficients + weights.intercept
    if logits.shape[1] == 1:
        logits = np.concatenate([np.zeros_like(logits), logits], axis=1)
    losses = SOFTMAX.compare(logits, labels)[2]
    return float((logits.argmax(axis=1) == labels).mean()), float(losses.sum())


def scaled_rows(
    seen: NDArray[np.float32], rows: NDArray[np.float32], scale: str
) -> NDArray[np.float32]:
    """Scale `rows` by what the scaling learns from `seen`."""
    scaler = make_scaler(scale)
    return rows if scaler is None else scaler.fit(seen).transform(rows)


def numbered(truth: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number the classes that occur 0 ... K - 1."""
    return np.unique(truth, return_inverse=True)[1]

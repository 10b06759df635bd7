"""The grid search over rows that do not fit into memory: the classifiers that are sums over rows.

These are the linear ones. The optima are those of `penult.classify.training.search`, which has all
rows in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from penult.classify.kinds.base import Trial
from penult.classify.kinds.registry import all_kinds, find_kind
from penult.classify.linear.assemble import linear_pipeline
from penult.classify.linear.basis import LinearWeights
from penult.classify.linear.inner_products import inner_product_bytes
from penult.classify.linear.losses import SOFTMAX
from penult.classify.linear.passes import StoredRows
from penult.classify.linear.sharpness import sharpness
from penult.classify.linear.streamed import StreamedProblem, StreamedSolutions
from penult.classify.training.grid import Candidates
from penult.classify.training.search import GridSearchResult, choose
from penult.errors import TrainingError
from penult.interface import option

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["require_streamable", "search_streamed"]


def require_streamable(
    candidates: Candidates, width: int, folds: int, memory: int, *, reduce: int | None = None
) -> None:
    """Refuse classifiers that need all rows in memory at once.

    Raises
    ------
    TrainingError
    """
    refused = [name for name in candidates if not find_kind(name).streams]
    if refused:
        able = ", ".join(kind.name for kind in all_kinds() if kind.streams)
        raise TrainingError(
            f"the rows do not fit into {memory / 1e9:,.3g} GB, and {', '.join(refused)} needs all "
            f"of them at once; take {able}, or give more with {option('max_memory')}"
        )
    if reduce is not None and (needed := inner_product_bytes(width, folds)) > memory:
        raise TrainingError(
            f"to reduce rows of {width:,} numbers takes {needed / 1e9:,.3g} GB, and "
            f"{memory / 1e9:,.3g} GB may be used; leave out {option('reduce')}, or give more with "
            f"{option('max_memory')}"
        )
    for name in candidates:
        needed = find_kind(name).streaming_bytes(width, folds)
        if needed > memory:
            raise TrainingError(
                f"{name} on rows of {width:,} numbers needs {needed / 1e9:,.3g} GB, and "
                f"{memory / 1e9:,.3g} GB may be used; take logistic, or give more with "
                f"{option('max_memory')}"
            )


def search_streamed(
    problem: StreamedProblem, candidates: Candidates, step: Callable[[], None] = lambda: None
) -> GridSearchResult:
    """Do as `penult.classify.training.search.search` does, the rows staying on disk.

    Memory is taken for a block of rows, a sample of them, the solutions, and for the calibrated
    classifiers one float32 a row and class.
    """
    rows, views, left_out = problem.rows.photos, problem.views[:-1], problem.left_out
    labels = problem.labels[: len(rows)]
    trials: list[Trial] = []
    solutions: list[StreamedSolutions] = []
    for name, params in candidates.items():
        kind = find_kind(name)
        found = kind.solve_streamed(problem, params, step)
        flat = [
            (view.to_rows(weights), mask)
            for solution in found
            for weights, view, mask in zip(solution[:-1], views, left_out, strict=True)
        ]
        accuracies, losses = _judge(rows, labels, flat)
        for k, (one, solution) in enumerate(zip(params, found, strict=True)):
            part = slice(k * problem.folds, (k + 1) * problem.folds)
            loss = float(losses[part].sum() / len(rows)) if kind.gives_logits else None
            trials.append(Trial(name, one, tuple(accuracies[part].tolist()), loss))
            solutions.append(solution)
    best = choose(trials, len(rows))
    *by_fold, weights = solutions[trials.index(best)]
    gives_logits = find_kind(best.classifier).gives_logits
    if not gives_logits:
        seen = [view.to_rows(one) for view, one in zip(views, by_fold, strict=True)]
        weights = weights * sharpness(_left_out(rows, seen, left_out), labels)
    pipeline = linear_pipeline(
        problem.steps,
        LinearWeights(weights[:-1], weights[-1]),
        problem.classes,
        seed=problem.seed,
        params=best.params if gives_logits else {},
    )
    step()
    return GridSearchResult(trials, best, pipeline)


def _judge(
    rows: StoredRows,
    labels: NDArray[np.int64],
    solutions: Sequence[tuple[NDArray[np.float64], NDArray[np.bool_]]],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    # Of each solution, (D + 1, K) for the rows as they are, on the rows of its mask: the accuracy,
    # and the sum of what would be log-losses if it gives logits.
    right, losses = np.zeros(len(solutions)), np.zeros(len(solutions))
    stacked = np.concatenate([weights for weights, _ in solutions], axis=1).astype(np.float32)
    columns = stacked.shape[1] // len(solutions)
    for part, block in rows.blocks(stacked.shape[1]):
        every = (block @ stacked[:-1] + stacked[-1]).reshape(len(block), len(solutions), columns)
        if columns == 1:
            every = np.concatenate([np.zeros_like(every), every], axis=2)
        for k, (_, mask) in enumerate(solutions):
            logits, truth = every[mask[part], k], labels[part][mask[part]]
            right[k] += (logits.argmax(axis=1) == truth).sum()
            losses[k] += SOFTMAX.evaluate(logits, truth)[2].sum(dtype=np.float64)
    return right / [mask.sum() for _, mask in solutions], losses


def _left_out(
    rows: StoredRows, solutions: Sequence[NDArray[np.float64]], masks: NDArray[np.bool_]
) -> NDArray[np.float32]:
    # What each fold's solution decides about the rows that it did not see, (n, K).
    result = np.empty((len(rows), solutions[0].shape[1]), np.float32)
    for part, block in rows.blocks(solutions[0].shape[1]):
        for weights, mask in zip(solutions, masks, strict=True):
            chosen = mask[part]
            result[part][chosen] = block[chosen] @ weights[:-1] + weights[-1]
    return result

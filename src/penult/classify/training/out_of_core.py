"""The grid search over rows that do not fit into memory: the classifiers that are sums over rows.

The linear ones. Logistic regression and the support vector machine by
`penult.classify.linear.passes`, ridge regression from the inner products of the columns, the
nearest mean from the means. The optima are those of `penult.classify.training.search`, which has
all rows in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.classify.linear.assemble import linear_pipeline
from penult.classify.linear.basis import Weights
from penult.classify.linear.centroid import toward_means
from penult.classify.linear.losses import SOFTMAX, SQUARED_HINGE, choose_loss
from penult.classify.linear.newton import minimise
from penult.classify.linear.passes import Fit, StoredRows, View, run_together
from penult.classify.linear.sharpness import sharpness
from penult.classify.training.kinds import find_classifier
from penult.classify.training.search import Trial, choose
from penult.errors import TrainingError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    from penult.partition.splits import Fold

__all__ = ["require_streamable", "search_streamed"]

STREAMED = ("logistic", "svm", "ridge", "centroid")

Members = Sequence["NDArray[np.bool_]"]
# One combination's solutions, (D + 1, K) as their views see the rows: of each fold, and of all.
Solutions = list["NDArray[Any]"]


def require_streamable(names: Iterable[str], width: int, folds: int, memory: int) -> None:
    """Refuse classifiers that need all rows in memory at once.

    Raises
    ------
    TrainingError
    """
    refused = [name for name in names if name not in STREAMED]
    if refused:
        raise TrainingError(
            f"the rows do not fit into {memory / 1e9:,.3g} GB, and {', '.join(refused)} needs all "
            f"of them at once; take {', '.join(STREAMED)}, or give more with --max-memory "
            "(in Python max_memory)"
        )
    needed = (folds + 3) * 8 * width**2
    if "ridge" in names and needed > memory:
        raise TrainingError(
            f"ridge on rows of {width:,} numbers needs {needed / 1e9:,.3g} GB, and "
            f"{memory / 1e9:,.3g} GB may be used; take logistic, or give more with "
            "--max-memory (in Python max_memory)"
        )


def search_streamed(
    rows: StoredRows,
    truth: NDArray[np.int64],
    folds: Sequence[Fold],
    tries: Mapping[str, Sequence[Mapping[str, Any]]],
    *,
    scale: str,
    seed: int,
    step: Callable[[], None],
) -> tuple[list[Trial], Trial, Pipeline]:
    """Do as `penult.classify.training.search.search` does, the rows staying on disk.

    Memory is taken for a block of rows, a sample of them, the solutions, and for the calibrated
    classifiers one float32 a row and class.
    """
    labels = np.unique(truth, return_inverse=True)[1]
    everything = np.ones(len(rows), bool)
    members = [_mask(train, len(rows)) for train, _ in folds] + [everything]
    scalers = _scalers(rows, members)
    # What the pipeline's scaler makes of the rows, and the fits' own before it.
    views = [_view(scaler, scale) for scaler in scalers]
    trials: list[Trial] = []
    solutions: list[Solutions] = []
    for name, combinations in tries.items():
        if name == "ridge":
            found = _ridge(rows, labels, members, views, combinations)
        elif name == "centroid":
            found = [_means(rows, labels, members, views)]
        else:
            strengths = [float(params["C"]) for params in combinations]
            found = _paths(
                rows, labels, members, scalers, strengths, scale, name == "svm", seed, step
            )
        flat = [
            (view.to_rows(weights), ~member)
            for solution in found
            for weights, view, member in zip(solution[:-1], views[:-1], members[:-1], strict=True)
        ]
        right, losses = _judge(rows, labels, flat)
        for k, (params, solution) in enumerate(zip(combinations, found, strict=True)):
            part = slice(k * len(folds), (k + 1) * len(folds))
            loss = float(losses[part].sum() / len(rows)) if name == "logistic" else None
            trials.append(Trial(name, params, tuple(right[part].tolist()), loss))
            solutions.append(solution)
            if name in ("ridge", "centroid"):
                for _ in folds:
                    step()
    best = choose(trials, len(rows))
    solution = solutions[trials.index(best)]
    ours = solution[-1]
    if find_classifier(best.classifier).calibrated:
        chosen = [view.to_rows(w) for view, w in zip(views[:-1], solution[:-1], strict=True)]
        decisions = _left_out(rows, chosen, [~member for member in members[:-1]])
        ours = ours * sharpness(decisions, labels)
    pipeline = linear_pipeline(
        scale,
        scalers[-1],
        Weights(ours[:-1], ours[-1]),
        np.unique(truth),
        seed=seed,
        params=best.params if best.classifier == "logistic" else {},
    )
    step()
    return trials, best, pipeline


def _mask(places: NDArray[np.int64], length: int) -> NDArray[np.bool_]:
    mask = np.zeros(length, bool)
    mask[places] = True
    return mask


def _scalers(rows: StoredRows, members: Members) -> list[StandardScaler]:
    # Of each fit, from its own training rows alone.
    from sklearn.preprocessing import StandardScaler

    scalers = [StandardScaler() for _ in members]
    for part, block in rows.blocks():
        for member, scaler in zip(members, scalers, strict=True):
            if member[part].any():
                scaler.partial_fit(block[member[part]])
    return scalers


def _view(scaler: StandardScaler, scale: str) -> View:
    if scale == "standard":
        return View(scaler.mean_, 1 / scaler.scale_)
    return View(np.zeros_like(scaler.mean_), np.ones_like(scaler.mean_))


def _paths(
    rows: StoredRows,
    labels: NDArray[np.int64],
    members: Members,
    scalers: Sequence[StandardScaler],
    strengths: Sequence[float],
    scale: str,
    svm: bool,
    seed: int,
    step: Callable[[], None],
) -> list[Solutions]:
    loss, targets, columns = choose_loss(labels)
    if svm:
        loss = SQUARED_HINGE
        if columns > 1:
            targets = labels[:, None] == np.arange(columns)
    ascending = sorted(set(strengths))
    kept: list[dict[float, NDArray[np.float32]]] = [{} for _ in members]

    def path(fold: int) -> Generator[Any, Any, None]:
        solution = np.zeros((rows.width + 1, columns))
        for strength in ascending:
            solution = yield from minimise(solution, strength, precise=True)
            found = solution if scale == "standard" else fits[fold].view.to_rows(solution)
            kept[fold][strength] = found.astype(np.float32)
            if fold < len(members) - 1:
                for _ in range(strengths.count(strength)):
                    step()

    fits = []
    for fold, (member, scaler) in enumerate(zip(members, scalers, strict=True)):
        view = _view(scaler, scale)
        if not svm:
            # Centred, for the intercept. That of a support vector machine has a penalty, so that
            # it makes a difference where zero is.
            view = View(scaler.mean_, view.factor)
        fits.append(Fit(path(fold), member, view, loss, targets, columns, pull=1.0 if svm else 0.0))
    run_together(rows, fits, seed=seed)
    if loss is SOFTMAX:
        for solutions in kept:
            for solution in solutions.values():
                solution[-1] -= solution[-1].mean()
    return [[solutions[c] for solutions in kept] for c in strengths]


def _ridge(
    rows: StoredRows,
    labels: NDArray[np.int64],
    members: Members,
    views: Sequence[View],
    combinations: Sequence[Mapping[str, Any]],
) -> list[Solutions]:
    # From (row, 1)'(row, 1) and (row, 1)'(target) summed over the part that each fold leaves out,
    # and so over all; a fold's own sums are those of all less those of its part.
    _, targets, columns = choose_loss(labels)
    if columns > 1:
        targets = labels[:, None] == np.arange(columns)
    products = [np.zeros((rows.width + 1,) * 2) for _ in members]
    crosses = [np.zeros((rows.width + 1, columns)) for _ in members]
    # Each row is left out by one fold, and is counted there; all that are left out make up all.
    for part, block in rows.blocks():
        extended = np.column_stack([block, np.ones(len(block))])
        for k, member in enumerate(members[:-1]):
            out = ~member[part]
            products[k] += extended[out].T @ extended[out]
            crosses[k] += extended[out].T @ np.where(targets[part][out], 1.0, -1.0)
    for k in range(len(members) - 1):
        products[-1] += products[k]
        crosses[-1] += crosses[k]
    result: list[Solutions] = [[] for _ in combinations]
    for k, view in enumerate(views):
        product = products[-1] - (products[k] if k < len(views) - 1 else 0)
        cross = crosses[-1] - (crosses[k] if k < len(views) - 1 else 0)
        # The intercept is free, so the rest is solved for centred rows and targets.
        count, means, middle = product[-1, -1], product[-1, :-1].copy(), cross[-1] / product[-1, -1]
        means /= count
        scatter = product[:-1, :-1] - count * np.outer(means, means)
        scatter *= view.factor[:, None] * view.factor
        shared = (cross[:-1] - count * np.outer(means, middle)) * view.factor[:, None]
        center = (means - view.center) * view.factor
        variance, axes = np.linalg.eigh(scatter)
        turned = axes.T @ shared
        for params, solutions in zip(combinations, result, strict=True):
            weights = axes @ (turned / (variance.clip(0) + float(params["alpha"]))[:, None])
            solutions.append(np.concatenate([weights, [middle - center @ weights]]))
    return result


def _means(
    rows: StoredRows, labels: NDArray[np.int64], members: Members, views: Sequence[View]
) -> Solutions:
    classes = int(labels.max()) + 1
    sums = np.zeros((len(members), classes, rows.width))
    for part, block in rows.blocks():
        for k, member in enumerate(members):
            mine = member[part]
            chosen = labels[part][mine][:, None] == np.arange(classes)
            sums[k] += chosen.T.astype(np.float64) @ block[mine]
    result = []
    for k, (member, view) in enumerate(zip(members, views, strict=True)):
        means = sums[k] / np.bincount(labels[member], minlength=classes)[:, None]
        weights = toward_means((means - view.center) * view.factor)
        result.append(np.concatenate([weights.coefficients, [weights.intercept]]))
    return result


def _judge(
    rows: StoredRows,
    labels: NDArray[np.int64],
    solutions: Sequence[tuple[NDArray[np.float64], NDArray[np.bool_]]],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    # Of each solution, (D + 1, K) for the rows as they are, on the rows of its mask: the accuracy,
    # and the sum of what would be log-losses if it gives logits.
    right, losses = np.zeros(len(solutions)), np.zeros(len(solutions))
    joined = np.concatenate([weights for weights, _ in solutions], axis=1).astype(np.float32)
    columns = joined.shape[1] // len(solutions)
    for part, block in rows.blocks():
        every = (block @ joined[:-1] + joined[-1]).reshape(len(block), len(solutions), columns)
        if columns == 1:
            every = np.concatenate([np.zeros_like(every), every], axis=2)
        for k, (_, mask) in enumerate(solutions):
            logits, truth = every[mask[part], k], labels[part][mask[part]]
            right[k] += (logits.argmax(axis=1) == truth).sum()
            losses[k] += SOFTMAX.compare(logits, truth)[2].sum(dtype=np.float64)
    return right / [mask.sum() for _, mask in solutions], losses


def _left_out(
    rows: StoredRows, solutions: Sequence[NDArray[np.float64]], masks: Members
) -> NDArray[np.float32]:
    # What each fold's solution decides about the rows that it did not see, (n, K).
    result = np.empty((len(rows), solutions[0].shape[1]), np.float32)
    for part, block in rows.blocks():
        for weights, mask in zip(solutions, masks, strict=True):
            chosen = mask[part]
            result[part][chosen] = block[chosen] @ weights[:-1] + weights[-1]
    return result

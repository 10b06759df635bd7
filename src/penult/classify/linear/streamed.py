"""Linear classifiers solved on rows that stay on disk: those that are sums over rows.

Logistic regression and the support vector machine by `penult.classify.linear.passes`, ridge
regression from the inner products of the columns, the nearest mean from the means.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.classify.linear.centroid import toward_means
from penult.classify.linear.logistic import warn_not_converged
from penult.classify.linear.losses import SOFTMAX, SQUARED_HINGE, choose_loss
from penult.classify.linear.newton import minimise
from penult.classify.linear.passes import Fit, StoredRows, View, run_together

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sklearn.preprocessing import StandardScaler

    from penult.partition.splits import Fold

__all__ = [
    "StreamedProblem",
    "StreamedSolutions",
    "solve_means",
    "solve_paths",
    "solve_ridge",
]

# One candidate's solutions, (D + 1, K) as their views see the rows: of each fold, and of all.
StreamedSolutions = list["NDArray[Any]"]


@dataclass(frozen=True, eq=False)
class StreamedProblem:
    """Rows on disk and the parts of them that are fitted.

    Attributes
    ----------
    rows : the rows
    classes : (K,) int64, ascending
    labels : (n,) int64, places among the classes; every class occurs
    members : (F + 1, n) bool, of each fold the rows to train on, and at last all rows
    scalers : of each of these, fitted on its own rows
    scale : ``"standard"`` where the pipeline scales by them
    seed : of the sample that `run_together` draws
    """

    rows: StoredRows
    classes: NDArray[np.int64]
    labels: NDArray[np.int64]
    members: NDArray[np.bool_]
    scalers: Sequence[StandardScaler]
    scale: str
    seed: int

    @classmethod
    def prepare(
        cls,
        rows: StoredRows,
        truth: NDArray[np.int64],
        folds: Sequence[Fold],
        *,
        scale: str,
        seed: int,
    ) -> StreamedProblem:
        """Fit a scaler on the training rows of each fold, and on all, in one pass."""
        from sklearn.preprocessing import StandardScaler

        members = np.ones((len(folds) + 1, len(rows)), bool)
        for member, (_, test) in zip(members, folds, strict=False):
            member[test] = False
        scalers = [StandardScaler() for _ in members]
        for part, block in rows.blocks():
            for member, scaler in zip(members, scalers, strict=True):
                if member[part].any():
                    scaler.partial_fit(block[member[part]])
        classes, labels = np.unique(truth, return_inverse=True)
        return cls(rows, classes, labels, members, scalers, scale, seed)

    @property
    def folds(self) -> int:
        """The number of folds."""
        return len(self.members) - 1

    @property
    def views(self) -> list[View]:
        """How the pipeline of each fit sees the rows."""
        return [self._view(scaler) for scaler in self.scalers]

    def _view(self, scaler: StandardScaler) -> View:
        if self.scale == "standard":
            return View(scaler.mean_, 1 / scaler.scale_)
        return View(np.zeros_like(scaler.mean_), np.ones_like(scaler.mean_))


def solve_paths(
    problem: StreamedProblem, strengths: Sequence[float], step: Callable[[], None], *, hinge: bool
) -> list[StreamedSolutions]:
    """Solve for each C: logistic regression, or with `hinge` the support vector machine."""
    rows, labels, members = problem.rows, problem.labels, problem.members
    loss, targets, columns = choose_loss(labels)
    if hinge:
        loss = SQUARED_HINGE
        if columns > 1:
            targets = labels[:, None] == np.arange(columns)
    ascending = sorted(set(strengths))
    failed: set[float] = set()
    kept: list[dict[float, NDArray[np.float32]]] = [{} for _ in members]

    def path(fold: int) -> Generator[Any, Any, None]:
        solution = np.zeros((rows.width + 1, columns))
        for strength in ascending:
            minimum = yield from minimise(solution, strength, float64=True)
            solution = minimum.point
            if not minimum.converged:
                failed.add(strength)
            found = solution if problem.scale == "standard" else fits[fold].view.to_rows(solution)
            kept[fold][strength] = found.astype(np.float32)
            if fold < problem.folds:
                for _ in range(strengths.count(strength)):
                    step()

    fits = []
    for fold, (member, view) in enumerate(zip(members, problem.views, strict=True)):
        if not hinge:
            # Centred, for the intercept. That of a support vector machine has a penalty, so that
            # it makes a difference where zero is.
            view = View(problem.scalers[fold].mean_, view.factor)
        penalty = 1.0 if hinge else 0.0
        fits.append(
            Fit(path(fold), member, view, loss, targets, columns, intercept_penalty=penalty)
        )
    run_together(rows, fits, seed=problem.seed)
    warn_not_converged(failed, "the support vector machine" if hinge else "logistic regression")
    if loss is SOFTMAX:
        for solutions in kept:
            for solution in solutions.values():
                solution[-1] -= solution[-1].mean()
    return [[solutions[c] for solutions in kept] for c in strengths]


def solve_ridge(
    problem: StreamedProblem, alphas: Sequence[float], step: Callable[[], None]
) -> list[StreamedSolutions]:
    """Solve ridge regression on the classes for each alpha, in one pass."""
    # From (row, 1)'(row, 1) and (row, 1)'(target) summed over the part that each fold leaves out,
    # and so over all; a fold's own sums are those of all less those of its part.
    rows, labels, members, views = problem.rows, problem.labels, problem.members, problem.views
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
    for k in range(problem.folds):
        products[-1] += products[k]
        crosses[-1] += crosses[k]
    result: list[StreamedSolutions] = [[] for _ in alphas]
    for k, view in enumerate(views):
        product = products[-1] - (products[k] if k < problem.folds else 0)
        cross = crosses[-1] - (crosses[k] if k < problem.folds else 0)
        # The intercept is free, so the rest is solved for centred rows and targets.
        count, means, middle = product[-1, -1], product[-1, :-1].copy(), cross[-1] / product[-1, -1]
        means /= count
        scatter = product[:-1, :-1] - count * np.outer(means, means)
        scatter *= view.factor[:, None] * view.factor
        shared = (cross[:-1] - count * np.outer(means, middle)) * view.factor[:, None]
        center = (means - view.center) * view.factor
        variance, axes = np.linalg.eigh(scatter)
        turned = axes.T @ shared
        for alpha, solutions in zip(alphas, result, strict=True):
            weights = axes @ (turned / (variance.clip(0) + alpha)[:, None])
            solutions.append(np.concatenate([weights, [middle - center @ weights]]))
            if k < problem.folds:
                step()
    return result


def solve_means(problem: StreamedProblem, step: Callable[[], None]) -> StreamedSolutions:
    """Find the class means of each fold, in one pass."""
    rows, labels = problem.rows, problem.labels
    classes = int(labels.max()) + 1
    sums = np.zeros((len(problem.members), classes, rows.width))
    for part, block in rows.blocks():
        for k, member in enumerate(problem.members):
            mine = member[part]
            chosen = labels[part][mine][:, None] == np.arange(classes)
            sums[k] += chosen.T.astype(np.float64) @ block[mine]
    result = []
    for k, (member, view) in enumerate(zip(problem.members, problem.views, strict=True)):
        means = sums[k] / np.bincount(labels[member], minlength=classes)[:, None]
        weights = toward_means((means - view.center) * view.factor)
        result.append(np.concatenate([weights.coefficients, [weights.intercept]]))
        if k < problem.folds:
            step()
    return result

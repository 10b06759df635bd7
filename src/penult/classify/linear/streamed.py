"""Linear classifiers solved on rows that stay on disk: those that are sums over rows.

Logistic regression and the support vector machine by `penult.classify.linear.passes`, ridge
regression from the inner products of the columns, the nearest mean from the means.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.classify.linear.centroid import toward_means
from penult.classify.linear.inner_products import (
    inner_products,
    principal_components,
    scatter_of,
)
from penult.classify.linear.logistic import warn_not_converged
from penult.classify.linear.losses import SQUARED_HINGE, Loss, choose_loss, class_weights
from penult.classify.linear.newton import minimise
from penult.classify.linear.passes import Fit, StoredRows, View, run_together
from penult.classify.preparation import make_scaler

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sklearn.decomposition import PCA
    from sklearn.preprocessing import StandardScaler

    from penult.classify.preparation import Step
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
    rows : the rows, augmented ones last
    classes : (K,) int64, ascending
    labels : (n,) int64, places among the classes; every class occurs
    members : (F + 1, n) bool, of each fold the rows to train on, and at last all rows
    left_out : (F, p) bool, of each fold the photos to judge by
    scalers : of each of these, fitted on its own rows
    reductions : of each of these, fitted on its own rows as they are scaled; None where rows keep
        their length
    scale : ``"standard"`` where the pipeline scales by them
    class_weight : ``"balanced"`` where the rows of each class count alike together
    seed : of the sample that `run_together` draws
    """

    rows: StoredRows
    classes: NDArray[np.int64]
    labels: NDArray[np.int64]
    members: NDArray[np.bool_]
    left_out: NDArray[np.bool_]
    scalers: Sequence[StandardScaler]
    reductions: Sequence[PCA] | None
    scale: str
    class_weight: str | None
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
        class_weight: str | None = None,
        reduce: int | None = None,
    ) -> StreamedProblem:
        """Fit a scaler on the training rows of each fold, and on all, in one pass.

        Another pass finds the principal components that rows are reduced to.
        """
        from sklearn.preprocessing import StandardScaler

        members = np.zeros((len(folds) + 1, len(rows)), bool)
        left_out = np.zeros((len(folds), len(rows.chosen)), bool)
        for member, out, (train, test) in zip(members, left_out, folds, strict=False):
            member[train] = out[test] = True
        members[-1] = True
        scalers = [StandardScaler() for _ in members]
        for part, block in rows.blocks():
            for member, scaler in zip(members, scalers, strict=True):
                if member[part].any():
                    scaler.partial_fit(block[member[part]])
        classes, labels = np.unique(truth, return_inverse=True)
        problem = cls(
            rows, classes, labels, members, left_out, scalers, None, scale, class_weight, seed
        )
        if reduce is None:
            return problem
        products, _ = inner_products(rows, members)
        reductions = [
            principal_components(product, view, reduce)
            for product, view in zip(products, problem.views, strict=True)
        ]
        return replace(problem, reductions=reductions)

    @property
    def folds(self) -> int:
        """The number of folds."""
        return len(self.members) - 1

    @property
    def views(self) -> list[View]:
        """How the pipeline of each fit sees the rows."""
        return [self._view(k) for k in range(len(self.members))]

    @property
    def steps(self) -> list[Step]:
        """Those of the pipeline that is fitted on all rows, before the classifier."""
        steps: list[Step] = []
        if self.scale == "standard":
            steps = [("scale", self.scalers[-1])]
        elif (scaler := make_scaler(self.scale)) is not None:
            steps = [("scale", scaler.fit(np.ones((1, self.rows.width), np.float32)))]
        return steps if self.reductions is None else [*steps, ("reduce", self.reductions[-1])]

    def weights(self, fold: int) -> NDArray[np.float64] | None:
        """How much the rows of each class count in a fit, (K,)."""
        return class_weights(self.labels[self.members[fold]], self.class_weight)

    def _view(self, fold: int) -> View:
        scaler = self.scalers[fold]
        factor = np.ones_like(scaler.mean_)
        if self.scale == "standard":
            factor = 1 / scaler.scale_
        if self.reductions is not None:
            # The components are of rows around their mean, scaled or not.
            axes = self.reductions[fold].components_.T.astype(np.float64)
            return View(scaler.mean_, factor, axes)
        if self.scale == "standard":
            return View(scaler.mean_, factor)
        return View(np.zeros_like(scaler.mean_), factor)


def solve_paths(
    problem: StreamedProblem, strengths: Sequence[float], step: Callable[[], None], *, hinge: bool
) -> list[StreamedSolutions]:
    """Solve for each C: logistic regression, or with `hinge` the support vector machine."""
    rows, labels, members = problem.rows, problem.labels, problem.members
    losses = []
    for fold in range(len(members)):
        weights = problem.weights(fold)
        loss, targets, columns = choose_loss(labels, weights)
        if hinge:
            loss = _hinge(weights)
        losses.append(loss)
    if hinge and columns > 1:
        targets = labels[:, None] == np.arange(columns)
    ascending = sorted(set(strengths))
    failed: set[float] = set()
    kept: list[dict[float, NDArray[np.float32]]] = [{} for _ in members]

    def path(fold: int) -> Generator[Any, Any, None]:
        solution = np.zeros((fits[fold].view.width + 1, columns))
        for strength in ascending:
            minimum = yield from minimise(solution, strength, float64=True)
            solution = minimum.point
            if not minimum.converged:
                failed.add(strength)
            found = solution if as_seen else fits[fold].view.to_rows(solution)
            kept[fold][strength] = found.astype(np.float32)
            if fold < problem.folds:
                for _ in range(strengths.count(strength)):
                    step()

    fits = []
    # Otherwise the pipeline sees rows as they are.
    as_seen = problem.scale == "standard" or problem.reductions is not None
    for fold, (member, view) in enumerate(zip(members, problem.views, strict=True)):
        if not hinge:
            # Centred, for the intercept. That of a support vector machine has a penalty, so that
            # it makes a difference where zero is.
            view = replace(view, center=problem.scalers[fold].mean_)
        penalty = 1.0 if hinge else 0.0
        fits.append(
            Fit(path(fold), member, view, losses[fold], targets, columns, intercept_penalty=penalty)
        )
    run_together(rows, fits, seed=problem.seed)
    warn_not_converged(failed, "the support vector machine" if hinge else "logistic regression")
    if loss.over_classes:
        for solutions in kept:
            for solution in solutions.values():
                solution[-1] -= solution[-1].mean()
    return [[solutions[c] for solutions in kept] for c in strengths]


def _hinge(weights: NDArray[np.float64] | None) -> Loss:
    """The loss of ``LinearSVC``, which weighs a class, and not the rest that it is told from."""
    if weights is None:
        return SQUARED_HINGE
    if len(weights) == 2:
        return SQUARED_HINGE.weighted(weights[:, None])
    return SQUARED_HINGE.weighted(np.stack([np.ones_like(weights), weights]))


def solve_ridge(
    problem: StreamedProblem, alphas: Sequence[float], step: Callable[[], None]
) -> list[StreamedSolutions]:
    """Solve ridge regression on the classes for each alpha, in one pass."""
    labels, members = problem.labels, problem.members
    _, targets, columns = choose_loss(labels)
    if columns > 1:
        targets = labels[:, None] == np.arange(columns)
    weights = [problem.weights(fold) for fold in range(len(members))]
    products, crosses = inner_products(
        problem.rows,
        members,
        np.where(targets, 1.0, -1.0),
        [None if each is None else each[labels] for each in weights],
    )
    result: list[StreamedSolutions] = [[] for _ in alphas]
    for k, (product, cross, view) in enumerate(zip(products, crosses, problem.views, strict=True)):
        # The intercept is free, so the rest is solved for centred rows and targets.
        count, means, middle = product[-1, -1], product[-1, :-1] / product[-1, -1], cross[-1]
        middle = middle / count
        scatter = scatter_of(product, view)
        shared = (cross[:-1] - count * np.outer(means, middle)) * view.factor[:, None]
        if view.axes is not None:
            scatter, shared = view.axes.T @ scatter @ view.axes, view.axes.T @ shared
        center = view.of_points(means)
        variance, axes = np.linalg.eigh(scatter)
        turned = axes.T @ shared
        for alpha, solutions in zip(alphas, result, strict=True):
            found = axes @ (turned / (variance.clip(0) + alpha)[:, None])
            solutions.append(np.concatenate([found, [middle - center @ found]]))
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
        weights = toward_means(view.of_points(means))
        result.append(np.concatenate([weights.coefficients, [weights.intercept]]))
        if k < problem.folds:
            step()
    return result

"""Multinomial logistic regression with an L2 penalty."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

from penult.classify.kinds.base import (
    CrossValidation,
    Params,
    TrainingData,
    Trial,
    accuracy_margin,
)
from penult.classify.kinds.linear import LinearKind
from penult.classify.linear.basis import LinearWeights, principal_basis
from penult.classify.linear.logistic import fit_path, warn_not_converged
from penult.classify.linear.logistic_path import LogisticPath, PathScore
from penult.classify.linear.losses import class_weights
from penult.classify.linear.newton import TOLERANCE

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

    from penult.classify.linear.streamed import StreamedProblem, StreamedSolutions

__all__ = ["KIND"]

# With fewer rows the whole path takes seconds, and no fold is sure enough to stop it.
EARLY_STOP_ROWS = 10_000
# What scores on so many rows need not be better than.
FOLD_TOLERANCE = 1e-4


def _has_passed_best(images: int, scores: Sequence[PathScore]) -> bool:
    # Larger C can be chosen no more where accuracy fell by more than the margin within which
    # log-loss decides, and the log-loss rises too: both are unimodal in C but for noise.
    *before, last = scores
    if not before:
        return False
    best = max(score.mean for score in before)
    fell = last.mean < best - accuracy_margin(best, images)
    return fell and last.log_loss > before[-1].log_loss


class Logistic(LinearKind):
    """Solved along the path of C, by penult's own solver."""

    name = "logistic"
    grid = MappingProxyType({"C": (0.1, 1.0, 10.0, 100.0, 1000.0, 10000.0)})
    penalty = "C"
    streams = True
    weighs_classes = True
    gives_logits = True

    def cross_validate(
        self, data: TrainingData, candidates: Sequence[Params], step: Callable[[], None]
    ) -> CrossValidation:
        """Walk up the path of C with all folds; see `LogisticPath`."""
        many = data.photos > EARLY_STOP_ROWS
        path = LogisticPath(
            data.rows,
            data.labels,
            data.folds,
            data.scale,
            reduce=data.reduce,
            class_weight=data.class_weight,
            tolerance=FOLD_TOLERANCE if many else TOLERANCE,
        )
        stop = partial(_has_passed_best, data.photos) if many else None
        scores = path.cross_validate({float(params["C"]) for params in candidates}, step, stop)
        trials, not_tried = [], []
        for params in candidates:
            score = scores.get(float(params["C"]))
            if score is None:
                not_tried.append(params)
            else:
                trials.append(Trial(self.name, params, score.accuracies, score.log_loss))

        def fit(params: Params) -> Pipeline:
            weights = path.fit(float(params["C"]))
            return self.assemble(data, path.preparation.steps, weights, params)

        return CrossValidation(trials, fit, not_tried)

    def fit(self, data: TrainingData, params: Params) -> Pipeline:
        """Solve for one C; the probabilities need no calibration."""
        from penult.classify.linear.estimator import PrincipalLogisticRegression

        preparation, inside = data.prepared()
        model = PrincipalLogisticRegression(float(params["C"]), class_weight=data.class_weight)
        weights = model.fit(inside.rows, data.labels).weights_
        return self.assemble(data, preparation.steps, weights, params)

    def fit_decisions(self, data: TrainingData, params: Params) -> Pipeline:
        """As `fit`."""
        return self.fit(data, params)

    def label_weights(
        self, data: TrainingData, candidates: Sequence[Params]
    ) -> list[LinearWeights]:
        """One path of C for all labels."""
        basis = principal_basis(data.rows)
        strengths = [float(params["C"]) for params in candidates]
        ascending = sorted(set(strengths))
        weights = class_weights(data.labels, data.class_weight)
        found = fit_path(basis.rows, data.labels, ascending, class_weights=weights)
        path = dict(zip(ascending, found, strict=True))
        warn_not_converged([c for c, one in path.items() if not one.converged])
        return [basis.to_rows(path[strength], data.rows) for strength in strengths]

    def solve_streamed(
        self, problem: StreamedProblem, candidates: Sequence[Params], step: Callable[[], None]
    ) -> list[StreamedSolutions]:
        """Solve all folds by one pass after the other over the file."""
        from penult.classify.linear.streamed import solve_paths

        return solve_paths(problem, [float(p["C"]) for p in candidates], step, hinge=False)


KIND = Logistic()

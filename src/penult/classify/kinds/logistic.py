"""Multinomial logistic regression with an L2 penalty."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from penult.classify.kinds.base import CrossValidation, Params, TrainingData, Trial
from penult.classify.kinds.linear import LinearKind
from penult.classify.linear.basis import Weights, principal_basis
from penult.classify.linear.logistic import fit_path
from penult.classify.linear.logistic_path import logistic_paths, numbered, scaled_rows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from sklearn.pipeline import Pipeline

    from penult.classify.linear.streamed import StreamedProblem, StreamedSolutions

__all__ = ["KIND"]


class Logistic(LinearKind):
    """Solved along the path of C, by penult's own solver."""

    name = "logistic"
    grid = MappingProxyType({"C": (0.1, 1.0, 10.0, 100.0, 1000.0, 10000.0)})
    penalty = "C"
    streams = True
    gives_logits = True

    def cross_validate(
        self, data: TrainingData, candidates: Sequence[Params], step: Callable[[], None]
    ) -> CrossValidation:
        """Solve all folds, and all rows, in one basis; see `logistic_paths`."""
        strengths = [float(params["C"]) for params in candidates]
        scores, solved = logistic_paths(
            data.rows, data.labels, data.folds, strengths, data.scale, step
        )
        trials = [
            Trial(self.name, params, *score)
            for params, score in zip(candidates, scores, strict=True)
        ]
        return CrossValidation(
            trials, lambda params: self.assemble(data, solved[float(params["C"])], params)
        )

    def fit(self, data: TrainingData, params: Params) -> Pipeline:
        """Solve for one C."""
        scaled = scaled_rows(data.rows, data.rows, data.scale)
        basis = principal_basis(scaled)
        weights = next(fit_path(basis.rows, numbered(data.labels), [float(params["C"])]))
        return self.assemble(data, basis.to_rows(weights, scaled), params)

    def fit_decisions(self, data: TrainingData, params: Params) -> Pipeline:
        """As `fit`, whose probabilities need no calibration."""
        return self.fit(data, params)

    def label_weights(
        self,
        rows: NDArray[np.float32],
        targets: NDArray[np.bool_],
        candidates: Sequence[Params],
        seed: int,
    ) -> list[Weights]:
        """One path of C for all labels."""
        basis = principal_basis(rows)
        strengths = [float(params["C"]) for params in candidates]
        ascending = sorted(set(strengths))
        path = dict(zip(ascending, fit_path(basis.rows, targets, ascending), strict=True))
        return [basis.to_rows(path[strength], rows) for strength in strengths]

    def solve_streamed(
        self, problem: StreamedProblem, candidates: Sequence[Params], step: Callable[[], None]
    ) -> list[StreamedSolutions]:
        """Solve all folds by one pass after the other over the file."""
        from penult.classify.linear.streamed import solve_paths

        return solve_paths(problem, [float(p["C"]) for p in candidates], step, hinge=False)


KIND = Logistic()

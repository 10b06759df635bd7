"""Nearest class mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from penult.classify.kinds.base import Params, TrainingData
from penult.classify.kinds.linear import LinearKind
from penult.classify.linear.basis import LinearWeights
from penult.classify.linear.centroid import nearest_mean
from penult.classify.linear.logistic_path import numbered

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

    from penult.classify.linear.streamed import StreamedProblem, StreamedSolutions

__all__ = ["KIND"]


class Centroid(LinearKind):
    """Linear too: `penult.classify.linear.centroid` finds its weights."""

    name = "centroid"
    streams = True

    def fit_decisions(self, data: TrainingData, params: Params) -> Pipeline:
        """Find the class means."""
        preparation, inside = data.prepared()
        weights = nearest_mean(inside.rows, numbered(data.labels))
        return self.assemble(data, preparation.steps, weights, params)

    def label_weights(
        self, data: TrainingData, candidates: Sequence[Params]
    ) -> list[LinearWeights]:
        """Compare the squared distances to the means without and with each label."""
        present, absent = (
            np.stack([data.rows[chosen].mean(axis=0, dtype=np.float64) for chosen in mask.T])
            for mask in (data.labels, ~data.labels)
        )
        intercept = (absent**2).sum(axis=1) - (present**2).sum(axis=1)
        return [LinearWeights(2 * (present - absent).T, intercept) for _ in candidates]

    def solve_streamed(
        self, problem: StreamedProblem, candidates: Sequence[Params], step: Callable[[], None]
    ) -> list[StreamedSolutions]:
        """Find the class means in one pass."""
        from penult.classify.linear.streamed import solve_means

        return [solve_means(problem, step) for _ in candidates]


KIND = Centroid()

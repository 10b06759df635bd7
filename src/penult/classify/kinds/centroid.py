"""Nearest class mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from penult.classify.kinds.base import Params, TrainingData
from penult.classify.kinds.linear import LinearKind
from penult.classify.linear.basis import LinearWeights
from penult.classify.linear.centroid import nearest_mean
from penult.classify.linear.logistic_path import numbered, scaled_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sklearn.pipeline import Pipeline

    from penult.classify.linear.streamed import StreamedProblem, StreamedSolutions

__all__ = ["KIND"]


class Centroid(LinearKind):
    """Linear too: `penult.classify.linear.centroid` finds its weights."""

    name = "centroid"
    streams = True

    def fit(self, data: TrainingData, params: Params) -> Pipeline:
        """Find the class means, and on the folds how sure the nearest may be."""
        scaled = scaled_rows(data.rows, data.rows, data.scale)
        return self.assemble(data, nearest_mean(scaled, numbered(data.labels), data.folds), params)

    def fit_decisions(self, data: TrainingData, params: Params) -> Pipeline:
        """As `fit`, which calibrates only where there are folds."""
        return self.fit(replace(data, folds=()), params)

    def label_weights(
        self,
        rows: NDArray[np.float32],
        targets: NDArray[np.bool_],
        candidates: Sequence[Params],
        seed: int,
    ) -> list[LinearWeights]:
        """Compare the squared distances to the means without and with each label."""
        present, absent = (
            np.stack([rows[chosen].mean(axis=0, dtype=np.float64) for chosen in mask.T])
            for mask in (targets, ~targets)
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

"""Linear support vector machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from penult.classify.kinds.base import Params
from penult.classify.kinds.linear import CALIBRATED, LinearKind

if TYPE_CHECKING:
    from sklearn.base import ClassifierMixin

    from penult.classify.linear.streamed import StreamedProblem, StreamedSolutions

__all__ = ["KIND"]


class Svm(LinearKind):
    """scikit-learn's ``LinearSVC``, one against the rest."""

    name = "svm"
    grid = MappingProxyType({"C": (0.01, 0.1, 1.0, 10.0, 100.0)})
    penalty = "C"
    streams = True
    weighs_classes = True
    trusted = LinearKind.and_trusted(
        *CALIBRATED,
        "sklearn.svm._classes.LinearSVC",
    )

    def make(self, seed: int, **params: Any) -> ClassifierMixin:
        """Build an unfitted ``LinearSVC``."""
        from sklearn.svm import LinearSVC

        return LinearSVC(max_iter=20_000, random_state=seed, **params)

    def solve_streamed(
        self, problem: StreamedProblem, candidates: Sequence[Params], step: Callable[[], None]
    ) -> list[StreamedSolutions]:
        """Solve all folds by one pass after the other over the file."""
        from penult.classify.linear.streamed import solve_paths

        return solve_paths(problem, [float(p["C"]) for p in candidates], step, hinge=True)


KIND = Svm()

"""Ridge regression on the classes."""

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


class Ridge(LinearKind):
    """scikit-learn's ``RidgeClassifier``."""

    name = "ridge"
    grid = MappingProxyType({"alpha": (0.01, 0.1, 1.0, 10.0, 100.0)})
    penalty = "alpha"
    streams = True
    weighs_classes = True
    trusted = LinearKind.and_trusted(
        *CALIBRATED,
        "sklearn.linear_model._ridge.RidgeClassifier",
    )

    def make(self, seed: int, **params: Any) -> ClassifierMixin:
        """Build an unfitted ``RidgeClassifier``."""
        from sklearn.linear_model import RidgeClassifier

        return RidgeClassifier(random_state=seed, **params)

    def solve_streamed(
        self, problem: StreamedProblem, candidates: Sequence[Params], step: Callable[[], None]
    ) -> list[StreamedSolutions]:
        """Solve from the inner products of the columns, gathered in one pass."""
        from penult.classify.linear.streamed import solve_ridge

        return solve_ridge(problem, [float(params["alpha"]) for params in candidates], step)

    def streaming_bytes(self, width: int, folds: int) -> int:
        """The inner products of the columns."""
        from penult.classify.linear.inner_products import inner_product_bytes

        return inner_product_bytes(width, folds)


KIND = Ridge()

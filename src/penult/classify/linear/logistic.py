"""L2-regularised logistic regression along a path of C, to scikit-learn's optimum.

The objective is scikit-learn's: ``C * sum(loss) + |W|² / 2``, the intercept free, the loss
multinomial for three classes and more, binomial (one weight vector) for two, and binomial in each
column where an image may have several labels. It depends on the rows only through their inner
products, and so does not change when the rows are expressed in another orthonormal basis of their
span. In the basis of their principal axes

- a row has no more numbers than there are rows, which is what makes rows of 25,088 numbers cheap;
- the Hessian is nearly diagonal, so that conjugate gradients preconditioned by its diagonal take
  few steps even where C is large.

Each C starts from the last one's solution, and all folds share one basis. `benchmarks/solvers.py`
compares this with scikit-learn's solvers in the same basis, and says why it is not one of them.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.classify.linear.basis import LinearWeights, row_blocks
from penult.classify.linear.losses import Loss, choose_loss
from penult.classify.linear.newton import (
    MAX_STEPS,
    TOLERANCE,
    Evaluate,
    HessianProduct,
    Request,
    minimise,
)
from penult.interface import option

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Problem", "fit_path", "from_centred", "objective", "warn_not_converged"]


def fit_path(
    rows: NDArray[np.float32],
    labels: NDArray[Any],
    strengths: Sequence[float],
    *,
    class_weights: NDArray[np.float64] | None = None,
    start: LinearWeights | None = None,
    tolerance: float = TOLERANCE,
    max_steps: int = MAX_STEPS,
    center: bool = True,
) -> Iterator[LinearWeights]:
    """Solve for one C after the other, each from the last one's solution.

    Parameters
    ----------
    rows : (n, D) float32
        The solver is at its fastest in a principal basis.
    labels : (n,) int64 or (n, K) bool
        In 0 ... K - 1, every class occurring; or several labels an image.
    strengths : sequence of float
        The values of C; ascending is best.
    class_weights : array, optional
        How much the rows of each class count, of `penult.classify.linear.losses.class_weights`; by
        default all rows count alike.
    start : LinearWeights, optional
        What the first C starts from; zero by default.
    tolerance, max_steps : float, int
        See `penult.classify.linear.newton.minimise`.
    center : bool
        Whether to work on a centred copy of the rows, which makes the intercept nearly independent
        of the coefficients. Rows in a principal basis, and most of them, are centred as they are.

    Yields
    ------
    LinearWeights
        Where it has converged, its objective is within 1e-6 of the minimum, relatively.
    """
    mean = np.zeros(rows.shape[1], np.float32)
    if center:
        mean = rows.mean(axis=0, dtype=np.float64).astype(np.float32)
        rows = rows - mean
    loss, targets, columns = choose_loss(labels, class_weights)
    problem = Problem(rows, loss, targets, columns)
    point = np.zeros((rows.shape[1] + 1, columns))
    if start is not None:
        point[:-1], point[-1] = start.coefficients, start.intercept + mean @ start.coefficients
    for strength in strengths:
        minimum = problem.drive(
            minimise(point, float(strength), tolerance=tolerance, max_steps=max_steps)
        )
        point = minimum.point
        yield from_centred(point, mean.astype(np.float64), loss, minimum.converged)


def objective(
    rows: NDArray[np.floating[Any]],
    labels: NDArray[Any],
    weights: LinearWeights,
    strength: float,
    class_weights: NDArray[np.float64] | None = None,
) -> float:
    """Evaluate ``C * sum(loss) + |W|² / 2`` in float64."""
    logits = rows.astype(np.float64) @ weights.coefficients + weights.intercept
    loss, targets, _ = choose_loss(labels, class_weights)
    _, _, losses = loss.evaluate(logits, targets)
    return float(strength * losses.sum() + (weights.coefficients**2).sum() / 2)


def from_centred(
    point: NDArray[np.float64], center: NDArray[np.float64], loss: Loss, converged: bool = True
) -> LinearWeights:
    """Turn a solution for rows minus `center`, (D + 1, K), into one for the rows."""
    coefficients, intercept = point[:-1], point[-1]
    if loss.over_classes:
        intercept = intercept - intercept.mean()
    return LinearWeights(coefficients, intercept - center @ coefficients, converged)


def warn_not_converged(strengths: Collection[float], name: str = "logistic regression") -> None:
    """Warn, once for all, of the values of C for which the solver stopped short of the minimum.

    Warns
    -----
    sklearn.exceptions.ConvergenceWarning
        If there are any.
    """
    if not strengths:
        return
    import warnings

    from sklearn.exceptions import ConvergenceWarning

    values = ", ".join(f"{strength:g}" for strength in sorted(set(strengths)))
    warnings.warn(
        f"{name} has not converged at C={values}: its scores there may be too low; scale the rows "
        f"({option('scale', 'l2')} or standard), or try smaller values of C ({option('grid')})",
        ConvergenceWarning,
        stacklevel=2,
    )


class Problem:
    """Answers what `minimise` requests from rows in memory.

    Parameters
    ----------
    rows : (n, D) float32
        Centred or nearly so where the intercept is free.
    loss, targets, columns : Loss, array, int
        Of `choose_loss`, or alike.
    intercept_penalty : float
        The penalty of the intercept, beside a coefficient's 1.
    """

    def __init__(
        self,
        rows: NDArray[np.float32],
        loss: Loss,
        targets: NDArray[Any],
        columns: int,
        *,
        intercept_penalty: float = 0.0,
    ) -> None:
        self.rows, self.loss, self.targets, self.columns = rows, loss, targets, columns
        self.intercept_penalty = intercept_penalty
        self.blocks = list(row_blocks(rows, columns))

    def drive(self, solver: Generator[Request, Any, Any]) -> Any:
        """Answer all that a solver requests, and return its result."""
        answer = None
        while True:
            try:
                answer = self.answer(solver.send(answer))
            except StopIteration as finished:
                return finished.value

    def answer(self, request: Request) -> Any:
        """Answer one request; its state is the curvature at each row, (n, K) float32."""
        if isinstance(request, Evaluate):
            return self._evaluate(request)
        if isinstance(request, HessianProduct):
            return self._hessian_product(request)
        diagonal = self._hessian_diagonal(request.state, request.strength)
        return lambda residual: residual / diagonal

    def _evaluate(
        self, request: Evaluate
    ) -> tuple[float, NDArray[np.float64], NDArray[np.float32]]:
        point, strength = request.point, request.strength
        dtype: Any = np.float64 if request.float64 else np.float32
        coefficients, intercept = point[:-1].astype(dtype), point[-1].astype(dtype)
        gradient = point.copy()
        gradient[-1] *= self.intercept_penalty
        value = float((point * gradient).sum() / 2)
        state = np.empty((len(self.rows), self.columns), np.float32)
        for block in self.blocks:
            rows = self.rows[block].astype(dtype, copy=False)
            logits = rows @ coefficients + intercept
            state[block], residual, losses = self.loss.evaluate(logits, self.targets[block])
            value += strength * float(losses.sum(dtype=np.float64))
            gradient[:-1] += strength * (rows.T @ residual)
            gradient[-1] += strength * residual.sum(axis=0, dtype=np.float64)
        return value, gradient, state

    def _hessian_product(self, request: HessianProduct) -> NDArray[np.float32]:
        direction, state = request.direction, request.state
        result = direction.copy()
        result[-1] *= self.intercept_penalty
        c = np.float32(request.strength)
        for block in self.blocks:
            rows = self.rows[block]
            change = self.loss.curvature_product(
                state[block], rows @ direction[:-1] + direction[-1]
            )
            change *= c
            result[:-1] += rows.T @ change
            result[-1] += change.sum(axis=0)
        return result

    def _hessian_diagonal(self, state: NDArray[np.float32], strength: float) -> NDArray[np.float32]:
        result = np.ones((self.rows.shape[1] + 1, self.columns), np.float32)
        for block in self.blocks:
            curvature = np.float32(strength) * self.loss.curvature_diagonal(state[block])
            result[:-1] += (self.rows[block] ** 2).T @ curvature
            result[-1] += curvature.sum(axis=0)
        return result

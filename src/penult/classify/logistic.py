"""L2-regularised logistic regression along a path of C: the same optimum as scikit-learn's, sooner.

The objective is scikit-learn's: ``C * sum(loss) + |W|² / 2``, the intercept free, the loss
multinomial for three classes and more and binomial (one weight vector) for two. It depends on the
rows only through their inner products, and so does not change when the rows are turned into
another orthonormal basis of their span. In the basis of their principal axes

- a row has no more numbers than there are rows, which is what makes rows of 25,088 numbers cheap;
- the Hessian is nearly diagonal, so that conjugate gradients preconditioned by its diagonal take
  few steps even where C is large, which is where L-BFGS on the plain rows takes thousands.

Each problem is solved by a truncated Newton method: the step by preconditioned conjugate gradients
in float32, the objective and the gradient in float64 (Nocedal & Wright, Numerical Optimization,
2nd edition, algorithm 7.1, with a backtracking line search). The next C starts from the last one's
solution, and all folds share one basis.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Basis", "Weights", "fit_path", "objective", "principal_basis"]

# Stop when a Newton step promises to lower the objective by less than this part of it.
TOLERANCE = 1e-7
# Below this part of it, float32 no longer tells a better solution from a worse one.
PRECISE = 1e-3
SHORTEST_STEP = 1e-6
MOST_STEPS = 100
MOST_INNER_STEPS = 500
BLOCK_BYTES = 2 << 20
# Axes whose variance is below this part of the largest are rounding errors, not data.
NEGLIGIBLE = 1e-12


@dataclass(frozen=True)
class Weights:
    """One solution.

    Attributes
    ----------
    coefficients : (D, K) float64, K = 1 for two classes
    intercept : (K,) float64
    """

    coefficients: NDArray[np.float64]
    intercept: NDArray[np.float64]


@dataclass(frozen=True)
class Basis:
    """Rows in the basis of their principal axes.

    Attributes
    ----------
    rows : (N, r) float32, the centred rows' coordinates, r <= min(N, D)
    center : (D,) float64, what was subtracted
    axes : (D, r) float64 orthonormal; empty where they are ``centred.T @ mixture``
    mixture : (N, r) float64, or None where the axes are there
    """

    rows: NDArray[np.float32]
    center: NDArray[np.float64]
    axes: NDArray[np.float64]
    mixture: NDArray[np.float64] | None

    def to_rows(self, weights: Weights, rows: NDArray[np.float32]) -> Weights:
        """Turn a solution in this basis into one for the rows it was made from, (N, D)."""
        if self.mixture is None:
            coefficients = self.axes @ weights.coefficients
        else:
            mixed = self.mixture @ weights.coefficients
            coefficients = np.zeros((rows.shape[1], mixed.shape[1]))
            for part in _parts(rows):
                coefficients += rows[part].T.astype(np.float64) @ mixed[part]
            coefficients -= np.outer(self.center, mixed.sum(axis=0))
        return Weights(coefficients, weights.intercept - self.center @ coefficients)


def principal_basis(rows: NDArray[np.float32]) -> Basis:
    """Express rows in the basis of their principal axes.

    Parameters
    ----------
    rows : (N, D) float32

    Returns
    -------
    Basis
        Inner products of its rows are those of the centred rows.
    """
    n, width = rows.shape
    center = rows.mean(axis=0, dtype=np.float64)
    if n <= width:
        # Eigenvectors of the (N, N) inner products. In float64: their rounding is the data's.
        gram = np.zeros((n, n))
        step = max(1, BLOCK_BYTES // n)
        for start in range(0, width, step):
            part = rows[:, start : start + step] - center[start : start + step]
            gram += part @ part.T
        variance, vectors = _eigen(gram)
        length = np.sqrt(variance)
        return Basis(
            (vectors * length).astype(np.float32), center, np.empty((0, 0)), vectors / length
        )
    # Eigenvectors of the (D, D) scatter. Any orthonormal axes give the same optimum, the principal
    # ones only sooner, so float32 is enough for it.
    scatter = np.zeros((width, width))
    for part in _parts(rows):
        centred = rows[part] - center.astype(np.float32)
        scatter += centred.T @ centred
    _, axes = np.linalg.eigh(scatter)
    turned = np.empty((n, width), np.float32)
    for part in _parts(rows):
        turned[part] = (rows[part] - center.astype(np.float32)) @ axes.astype(np.float32)
    return Basis(turned, center, axes, None)


def fit_path(
    rows: NDArray[np.float32], labels: NDArray[np.int64], strengths: Sequence[float]
) -> Iterator[Weights]:
    """Solve for one C after the other, each from the last one's solution; smallest first is best.

    Parameters
    ----------
    rows : (n, D) float32; in a principal basis the solver is at its fastest
    labels : (n,) int64 in 0 ... K - 1, every class occurring
    strengths : the values of C

    Yields
    ------
    Weights
        The objective is within 1e-6 of its minimum, relatively.
    """
    problem = _Problem(rows, labels)
    solution = problem.zeros()
    for strength in strengths:
        solution = problem.solve(float(strength), solution)
        yield problem.give_back(solution)


def objective(
    rows: NDArray[np.floating[Any]], labels: NDArray[np.int64], weights: Weights, strength: float
) -> float:
    """``C * sum(loss) + |W|² / 2`` in float64."""
    logits = rows.astype(np.float64) @ weights.coefficients + weights.intercept
    _, _, losses = _compare(logits, labels)
    return float(strength * losses.sum() + (weights.coefficients**2).sum() / 2)


class _Problem:
    # A solution is one (D + 1, K) array: the coefficients, and the intercept for the centred rows
    # as its last row. Centring makes the intercept nearly independent of the coefficients.

    def __init__(self, rows: NDArray[np.float32], labels: NDArray[np.int64]) -> None:
        self.center = rows.mean(axis=0, dtype=np.float64).astype(np.float32)
        self.rows = rows - self.center
        self.labels = labels
        classes = int(labels.max()) + 1
        self.columns = 1 if classes == 2 else classes
        self.parts = list(_parts(self.rows))

    def zeros(self) -> NDArray[np.float64]:
        return np.zeros((self.rows.shape[1] + 1, self.columns))

    def give_back(self, solution: NDArray[np.float64]) -> Weights:
        coefficients, intercept = solution[:-1], solution[-1].copy()
        if self.columns > 1:
            intercept -= intercept.mean()
        return Weights(coefficients, intercept - self.center.astype(np.float64) @ coefficients)

    def solve(self, strength: float, start: NDArray[np.float64]) -> NDArray[np.float64]:
        solution, precise = start, False
        value, gradient, said = self.evaluate(solution, strength, precise)
        for _ in range(MOST_STEPS):
            step = self.newton_step(gradient, said, strength, 0.1 if precise else 0.3)
            promised = -float((gradient * step).sum()) / 2
            if promised < PRECISE * value and not precise:
                # float32 has shown what it can: the last steps are taken in float64.
                precise = True
                value, gradient, said = self.evaluate(solution, strength, precise)
            size = 1.0
            while size > SHORTEST_STEP:
                new = self.evaluate(solution + size * step, strength, precise)
                if new[0] <= value - 2e-4 * size * promised:
                    solution, (value, gradient, said) = solution + size * step, new
                    break
                size /= 2
            if precise and (promised <= TOLERANCE * value or size <= SHORTEST_STEP):
                break
            precise = precise or size <= SHORTEST_STEP
        return solution

    def evaluate(
        self, solution: NDArray[np.float64], strength: float, precise: bool
    ) -> tuple[float, NDArray[np.float64], NDArray[np.float32]]:
        dtype = np.float64 if precise else np.float32
        coefficients, intercept = solution[:-1].astype(dtype), solution[-1].astype(dtype)
        value = float((solution[:-1] ** 2).sum() / 2)
        gradient = solution.copy()
        gradient[-1] = 0
        said = np.empty((len(self.rows), self.columns), np.float32)
        for part in self.parts:
            block, labels = self.rows[part].astype(dtype, copy=False), self.labels[part]
            logits = block @ coefficients + intercept
            said[part], residual, losses = _compare(logits, labels)
            value += strength * float(losses.sum(dtype=np.float64))
            gradient[:-1] += strength * (block.T @ residual)
            gradient[-1] += strength * residual.sum(axis=0, dtype=np.float64)
        return value, gradient, said

    def newton_step(
        self,
        gradient: NDArray[np.float64],
        said: NDArray[np.float32],
        strength: float,
        looseness: float,
    ) -> NDArray[np.float64]:
        diagonal = self.hessian_diagonal(said, strength)
        step = np.zeros_like(gradient, np.float32)
        residual = -gradient.astype(np.float32)
        scaled = residual / diagonal
        direction = scaled.copy()
        product = first = _dot(residual, scaled)
        for _ in range(MOST_INNER_STEPS):
            if product <= looseness**2 * first or product == 0:
                break
            curved = self.hessian_times(direction, said, strength)
            length = np.float32(product / _dot(direction, curved))
            step += length * direction
            residual -= length * curved
            scaled = residual / diagonal
            product, before = _dot(residual, scaled), product
            direction = scaled + np.float32(product / before) * direction
        return step.astype(np.float64)

    def hessian_times(
        self, direction: NDArray[np.float32], said: NDArray[np.float32], strength: float
    ) -> NDArray[np.float32]:
        result = direction.copy()
        result[-1] = 0
        c = np.float32(strength)
        for part in self.parts:
            block, p = self.rows[part], said[part]
            change = _curve(p, block @ direction[:-1] + direction[-1])
            change *= c
            result[:-1] += block.T @ change
            result[-1] += change.sum(axis=0)
        return result

    def hessian_diagonal(self, said: NDArray[np.float32], strength: float) -> NDArray[np.float32]:
        result = np.ones((self.rows.shape[1] + 1, self.columns), np.float32)
        for part in self.parts:
            spread = np.float32(strength) * _spread(said[part])
            result[:-1] += (self.rows[part] ** 2).T @ spread
            result[-1] += spread.sum(axis=0)
        return result


# Where the classes are apart, a probability rounds to 1 in float32 and what is left of it to 0,
# though a large C makes exactly that count. So nothing below takes 1 - p of a p that may be near 1.


def _compare(
    logits: NDArray[Any], labels: NDArray[np.int64]
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    # (n, K) what was said, (n, K) the loss's derivative by the logits, (n,) the loss in nats. What
    # was said is the probabilities; with one column it is p (1 - p).
    n = np.arange(len(labels))
    if logits.shape[1] == 1:
        from scipy.special import expit

        sign = np.where(labels == 1, 1, -1).astype(logits.dtype)[:, None]
        wrong = expit(-sign * logits)
        return wrong * expit(sign * logits), -sign * wrong, np.logaddexp(0, -sign * logits)[:, 0]
    top = logits.argmax(axis=1)
    shifted = logits - logits[n, top][:, None]
    probabilities = np.exp(shifted)
    probabilities[n, top] = 0
    others = probabilities.sum(axis=1)
    losses = np.log1p(others) - shifted[n, labels]
    probabilities[n, top] = 1
    probabilities /= (1 + others)[:, None]
    residual = probabilities.copy()
    residual[n, labels] = 0
    residual[n, labels] = -residual.sum(axis=1)
    return probabilities, residual, losses


def _curve(said: NDArray[np.float32], change: NDArray[np.float32]) -> NDArray[np.float32]:
    # (diag(p) - p p') change, row by row.
    if said.shape[1] == 1:
        return said * change
    top = said.argmax(axis=1)[:, None]
    change = change - np.take_along_axis(change, top, axis=1)
    change -= np.einsum("ij,ij->i", said, change)[:, None]
    return said * change


def _spread(said: NDArray[np.float32]) -> NDArray[np.float32]:
    # p (1 - p), row by row.
    if said.shape[1] == 1:
        return said
    top = said.argmax(axis=1)[:, None]
    spread = said * (1 - said)
    others = said.copy()
    np.put_along_axis(others, top, 0, axis=1)
    rest = others.sum(axis=1, keepdims=True)
    np.put_along_axis(spread, top, np.take_along_axis(said, top, axis=1) * rest, axis=1)
    return spread


def _eigen(gram: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    variance, vectors = np.linalg.eigh(gram)
    kept = variance > NEGLIGIBLE * max(variance[-1], np.finfo(float).tiny)
    return variance[kept], vectors[:, kept]


def _dot(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    return float(np.einsum("ij,ij->", a, b, dtype=np.float64))


def _parts(rows: NDArray[Any]) -> Iterator[slice]:
    step = max(1, BLOCK_BYTES // max(1, 4 * rows.shape[1]))
    for start in range(0, len(rows), step):
        yield slice(start, start + step)

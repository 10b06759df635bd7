"""A truncated Newton method that asks for what it needs of the objective, wherever the rows are.

The objective is ``C * sum(loss) + |W|² / 2``. The step is found by preconditioned conjugate
gradients in float32, the objective and the gradient in float64 for the last steps (Nocedal &
Wright, Numerical Optimization, 2nd edition, algorithm 7.1, with a backtracking line search). The
preconditioner may itself be an iteration, and so may change from one use to the next: conjugacy is
kept by the Polak-Ribière formula (Golub & Ye 1999).

`minimise` is a generator: it yields questions and is sent the answers. So one fit asks its rows in
memory, and many fits at once ask one pass over rows on disk.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Curve", "Evaluate", "Precondition", "Question", "conjugate_gradients", "minimise"]

# Stop when a Newton step promises to lower the objective by less than this part of it.
TOLERANCE = 1e-7
# Below this part of it, float32 no longer tells a better solution from a worse one.
PRECISE = 1e-3
SHORTEST_STEP = 1e-6
MOST_STEPS = 100
MOST_INNER_STEPS = 500


@dataclass(frozen=True, eq=False)
class Evaluate:
    """Asks for the objective, its gradient, and a handle `at` by which to ask for more there."""

    point: NDArray[np.float64]
    strength: float
    precise: bool


@dataclass(frozen=True, eq=False)
class Curve:
    """Asks for the Hessian times a direction, float32."""

    at: Any
    direction: NDArray[np.float32]
    strength: float


@dataclass(frozen=True, eq=False)
class Precondition:
    """Asks for a function that applies, roughly, the inverse of the Hessian to a float32 array."""

    at: Any
    strength: float


Question = Evaluate | Curve | Precondition
Rough = Callable[["NDArray[np.float32]"], "NDArray[np.float32]"]


def minimise(
    start: NDArray[np.float64], strength: float, *, precise: bool = False
) -> Generator[Question, Any, NDArray[np.float64]]:
    """Minimise from `start`; returns a solution whose objective is within 1e-6 of the minimum.

    Parameters
    ----------
    start : (D + 1, K), the last row being the intercept
    strength : C
    precise : evaluate in float64 from the first step on, and not only in the last ones
    """
    solution = start
    value, gradient, at = yield Evaluate(solution, strength, precise)
    for _ in range(MOST_STEPS):
        rough = yield Precondition(at, strength)
        step = yield from conjugate_gradients(
            gradient, at, strength, rough, looseness=0.1 if precise else 0.3
        )
        promised = -float((gradient * step).sum()) / 2
        if promised < PRECISE * value and not precise:
            # float32 has shown what it can: the last steps are taken in float64.
            precise = True
            value, gradient, at = yield Evaluate(solution, strength, precise)
        size = 1.0
        while size > SHORTEST_STEP:
            new = yield Evaluate(solution + size * step, strength, precise)
            if new[0] <= value - 2e-4 * size * promised:
                solution, (value, gradient, at) = solution + size * step, new
                break
            size /= 2
        if precise and (promised <= TOLERANCE * value or size <= SHORTEST_STEP):
            break
        precise = precise or size <= SHORTEST_STEP
    return solution


def conjugate_gradients(
    gradient: NDArray[Any],
    at: Any,
    strength: float,
    rough: Rough,
    *,
    looseness: float,
    most: int = MOST_INNER_STEPS,
) -> Generator[Curve, NDArray[np.float32], NDArray[np.float64]]:
    """Solve ``H step = -gradient`` until the residual, as `rough` sees it, fell to `looseness`."""
    step = np.zeros(gradient.shape, np.float32)
    residual = -gradient.astype(np.float32)
    scaled = rough(residual)
    direction = scaled.copy()
    product = first = _dot(residual, scaled)
    for _ in range(most):
        if product <= looseness**2 * first:
            break
        curved = yield Curve(at, direction, strength)
        length = np.float32(product / _dot(direction, curved))
        step += length * direction
        change = -length * curved
        residual += change
        scaled = rough(residual)
        before, product = product, _dot(residual, scaled)
        direction = scaled + np.float32(_dot(change, scaled) / before) * direction
    return step.astype(np.float64)


def _dot(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    return float(np.einsum("ij,ij->", a, b, dtype=np.float64))

"""Truncated Newton method for linear classifiers, wherever their rows are.

The objective is ``C * sum(loss) + |W|² / 2``. Each step is found by preconditioned conjugate
gradients in float32; the objective and the gradient are evaluated in float64 for the last steps
(Nocedal & Wright, Numerical Optimization, 2nd edition, algorithm 7.1, with a backtracking line
search). The preconditioner may itself be iterative, and so differ from one use to the next, which
is why conjugacy is kept by the Polak-Ribière formula (Golub & Ye 1999).

`minimise` is a generator: it yields requests and is sent the results. So one fit can be driven by
rows in memory, and many fits together by one pass over rows on disk.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "Evaluate",
    "HessianProduct",
    "Minimum",
    "Precondition",
    "Request",
    "conjugate_gradients",
    "minimise",
]

# Stop when a Newton step promises to lower the objective by less than this part of it.
TOLERANCE = 1e-7
# What a step promises without lowering it, where rounding has the last word.
ROUNDING = 1e-6
# Below this part of it, float32 no longer tells a better solution from a worse one.
FLOAT32_LIMIT = 1e-3
MIN_STEP_SIZE = 1e-6
MAX_STEPS = 100
MAX_CG_STEPS = 500


@dataclass(frozen=True, eq=False)
class Evaluate:
    """Request for the objective, its gradient, and a state from which to ask for more there."""

    point: NDArray[np.float64]
    strength: float
    float64: bool


@dataclass(frozen=True, eq=False)
class HessianProduct:
    """Request for the Hessian times a direction, float32."""

    state: Any
    direction: NDArray[np.float32]
    strength: float


@dataclass(frozen=True, eq=False)
class Precondition:
    """Request for a function that approximately applies the inverse Hessian to a float32 array."""

    state: Any
    strength: float


Request = Evaluate | HessianProduct | Precondition
Preconditioner = Callable[["NDArray[np.float32]"], "NDArray[np.float32]"]


@dataclass(frozen=True, eq=False)
class Minimum:
    """What `minimise` found.

    Attributes
    ----------
    point : (D + 1, K) float64, the last row being the intercept
    converged : bool
        False if the steps were used up, or none could lower the objective any more though the
        quadratic model promised one that would.
    """

    point: NDArray[np.float64]
    converged: bool


def minimise(
    start: NDArray[np.float64],
    strength: float,
    *,
    tolerance: float = TOLERANCE,
    float64: bool = False,
    max_steps: int = MAX_STEPS,
) -> Generator[Request, Any, Minimum]:
    """Minimise the objective.

    Parameters
    ----------
    start : (D + 1, K) float64
        Where to start; the last row is the intercept.
    strength : float
        C.
    tolerance : float
        Stop once a step promises to lower the objective by less than this part of it. By default
        the objective is then within 1e-6 of its minimum.
    float64 : bool
        Whether to evaluate in float64 from the first step on instead of in the last ones only.
    max_steps : int
        Give up after so many.
    """
    point = start
    value, gradient, state = yield Evaluate(point, strength, float64)
    for _ in range(max_steps):
        preconditioner = yield Precondition(state, strength)
        step = yield from conjugate_gradients(
            gradient, state, strength, preconditioner, tolerance=0.1 if float64 else 0.3
        )
        promised = -float((gradient * step).sum()) / 2
        if promised < FLOAT32_LIMIT * value and not float64:
            float64 = True
            value, gradient, state = yield Evaluate(point, strength, float64)
        size, start_value = 1.0, value
        while size > MIN_STEP_SIZE:
            new = yield Evaluate(point + size * step, strength, float64)
            if new[0] <= start_value - 2e-4 * size * promised:
                point, (value, gradient, state) = point + size * step, new
                break
            del new  # or its state, as large as all logits, would be kept beside two others
            size /= 2
        stuck = size <= MIN_STEP_SIZE
        if float64 and (promised <= tolerance * start_value or stuck):
            return Minimum(point, promised <= max(tolerance, ROUNDING) * start_value)
        if stuck:
            float64 = True
            value, gradient, state = yield Evaluate(point, strength, float64)
    return Minimum(point, False)


def conjugate_gradients(
    gradient: NDArray[Any],
    state: Any,
    strength: float,
    preconditioner: Preconditioner,
    *,
    tolerance: float,
    max_steps: int = MAX_CG_STEPS,
) -> Generator[HessianProduct, NDArray[np.float32], NDArray[np.float64]]:
    """Solve ``H step = -gradient`` until the preconditioned residual fell to `tolerance`."""
    step = np.zeros(gradient.shape, np.float32)
    residual = -gradient.astype(np.float32)
    scaled = preconditioner(residual)
    direction = scaled.copy()
    product = first = _dot(residual, scaled)
    for _ in range(max_steps):
        if product <= tolerance**2 * first:
            break
        curvature = yield HessianProduct(state, direction, strength)
        length = np.float32(product / _dot(direction, curvature))
        step += length * direction
        change = -length * curvature
        residual += change
        scaled = preconditioner(residual)
        previous, product = product, _dot(residual, scaled)
        direction = scaled + np.float32(_dot(change, scaled) / previous) * direction
    return step.astype(np.float64)


def _dot(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    return float(np.einsum("ij,ij->", a, b, dtype=np.float64))

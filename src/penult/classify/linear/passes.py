"""Many fits over rows that stay on disk: one pass over the file answers the requests of all.

Every fit is a solver of `penult.classify.linear.newton` with training rows of its own. Before each
pass every solver states its request, and the pass answers all of them. Most conjugate gradient
steps are taken on a random sample of the rows in memory: the Hessian on the sample, inverted
iteratively, preconditions the one on all rows, so that few passes are enough. The optimum does not
depend on the sample (subsampled Newton methods: Byrd, Chin, Neveitt & Nocedal 2011; here the sample
only preconditions).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.classify.linear.logistic import Problem
from penult.classify.linear.losses import Loss
from penult.classify.linear.newton import (
    Evaluate,
    HessianProduct,
    Precondition,
    conjugate_gradients,
)
from penult.partition.augmented import AugmentedViews, read_with_views
from penult.partition.rows import row_length

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records import Features

__all__ = ["Fit", "StoredRows", "View", "run_together"]

# A sample larger than this makes the preconditioner no better, only slower.
LARGEST_SAMPLE = 20_000
# Every fit's training rows have some part in it.
SMALLEST_SAMPLE = 64
MOST_AXES = 4096
SAMPLE_STEPS = 500
NEGLIGIBLE = 1e-6


@dataclass(frozen=True)
class StoredRows:
    """Rows of a feature file, read block by block, each scaled to length one or as it is.

    Attributes
    ----------
    features : the file
    chosen : (p,) int64, ascending row numbers of photos
    unit : whether each row is scaled to length one
    memory : bytes that may be taken
    views : augmented rows of the photos, which come after all of theirs; None where there are none
    """

    features: Features
    chosen: NDArray[np.int64]
    unit: bool
    memory: int
    views: AugmentedViews | None = None

    def __len__(self) -> int:
        """The number of rows, n."""
        return len(self.chosen) + (0 if self.views is None else len(self.views))

    @property
    def photos(self) -> StoredRows:
        """Those that may be scored."""
        return replace(self, views=None)

    @property
    def width(self) -> int:
        """The length of a row."""
        return row_length(self.features)

    def blocks(self, columns: int = 0) -> Iterator[tuple[slice, NDArray[np.float32]]]:
        """Read all of them once: places among the rows, and the (m, D) rows there.

        Parameters
        ----------
        columns : int
            How many numbers are made of a row, if more than it has itself.
        """
        # Beside a block stand its float64 copy and what is made of it.
        size = min(64 << 20, self.memory // 16) * self.width // max(1, self.width, columns)
        views = self.views or AugmentedViews.of_none(len(self.chosen))
        for part, block in read_with_views(self.features, self.chosen, views, block_bytes=size):
            yield part, _normalized(block) if self.unit else block

    def take(self, places: NDArray[np.int64]) -> NDArray[np.float32]:
        """Read the rows at some places, ascending, into memory, (m, D)."""
        return np.concatenate(
            [b[places[(places >= p.start) & (places < p.stop)] - p.start] for p, b in self.blocks()]
        )


@dataclass(frozen=True, eq=False)
class View:
    """How a fit sees rows: ``(row - center) * factor``, and perhaps along some axes only.

    Attributes
    ----------
    center, factor : (D,) float64
    axes : (D, N) float64, orthonormal; None where rows keep their D numbers
    """

    center: NDArray[np.float64]
    factor: NDArray[np.float64]
    axes: NDArray[np.float64] | None = None

    @property
    def width(self) -> int:
        """How many numbers a row has as it is seen, N; or D."""
        return len(self.center) if self.axes is None else self.axes.shape[1]

    def __call__(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Rows as they are to rows as seen, (m, N)."""
        return self.of_points(rows).astype(np.float32)

    def of_points(self, points: NDArray[Any]) -> NDArray[np.float64]:
        """The same in float64."""
        seen: NDArray[np.float64] = (points - self.center) * self.factor
        return seen if self.axes is None else seen @ self.axes

    def to_rows(self, solution: NDArray[Any]) -> NDArray[np.float64]:
        """Turn a solution for rows as seen, (N + 1, K), into one for rows as they are."""
        top = solution[:-1].astype(np.float64)
        if self.axes is not None:
            top = self.axes @ top
        top *= self.factor[:, None]
        return np.concatenate([top, solution[-1:] - self.center @ top])

    def of_sums(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """Turn sums over rows and 1, (D + 1, K), into sums over rows as seen."""
        top = (sums[:-1] - np.outer(self.center, sums[-1])) * self.factor[:, None]
        if self.axes is not None:
            top = self.axes.T @ top
        return np.concatenate([top, sums[-1:]])


@dataclass(eq=False)
class Fit:
    """One solver and the rows it learns from.

    Attributes
    ----------
    solver : yields requests and is sent the results; it stores the solutions it found itself
    member : (n,) bool, the rows that it learns from
    view : how it sees them
    loss, targets, columns, intercept_penalty : as for `Problem`, the targets being of all n rows
    """

    solver: Generator[Any, Any, Any]
    member: NDArray[np.bool_]
    view: View
    loss: Loss
    targets: NDArray[Any]
    columns: int
    intercept_penalty: float = 0.0
    request: Evaluate | HessianProduct | None = None
    sample: _Sample | None = None

    def advance(self, result: Any) -> None:
        """Send a result and take the next request that needs the rows; None when it is done."""
        try:
            request = self.solver.send(result)
            while isinstance(request, Precondition):
                assert self.sample is not None  # drawn before the first request
                request = self.solver.send(self.sample.preconditioner(request))
            self.request = request
        except StopIteration:
            self.request = None


def run_together(rows: StoredRows, fits: Sequence[Fit], *, seed: int) -> None:
    """Run all solvers to their ends; the seed is of the sample."""
    sampled = _draw(rows, seed)
    block = rows.take(sampled)
    for fit in fits:
        fit.sample = _Sample(fit, block[fit.member[sampled]], sampled[fit.member[sampled]])
        fit.advance(None)
    del block
    while active := [fit for fit in fits if fit.request is not None]:
        sums = _pass(rows, active)
        for fit, found in zip(active, sums, strict=True):
            fit.advance(_answer(fit, *found))


def _pass(rows: StoredRows, fits: Sequence[Fit]) -> list[tuple[float, NDArray[np.float64]]]:
    # For each fit the sum of its losses, and that of (row, 1) times each row's derivative.
    # Fits that request the objective are in float64 and side by side in one product, those that
    # request a product with the Hessian likewise in float32.
    result = [(0.0, np.zeros((rows.width + 1, fit.columns))) for fit in fits]
    groups: list[tuple[list[int], NDArray[Any], Any]] = []
    for kind, dtype in ((Evaluate, np.float64), (HessianProduct, np.float32)):
        mine = [k for k, fit in enumerate(fits) if isinstance(fit.request, kind)]
        if mine:
            stacked = [w for k in mine for w in _weights(fits[k])]
            groups.append((mine, np.concatenate(stacked, axis=1).astype(dtype), dtype))
    widest = max(weights.shape[1] for _, weights, _ in groups)
    for part, block in rows.blocks(widest):
        for mine, weights, dtype in groups:
            turned: NDArray[Any] = block.astype(dtype, copy=False)
            logits = turned @ weights[:-1] + weights[-1]
            derivatives = np.zeros((len(block), sum(fits[k].columns for k in mine)), dtype)
            read = written = 0
            for k in mine:
                fit = fits[k]
                member = fit.member[part]
                targets = fit.targets[part][member]
                here = logits[member, read : read + fit.columns]
                state, residual, losses = fit.loss.evaluate(here, targets)
                read += fit.columns
                if isinstance(fit.request, HessianProduct):
                    # The state is computed again: kept for all rows it would not fit.
                    change = logits[member, read : read + fit.columns]
                    residual = fit.loss.curvature_product(state, change)
                    read += fit.columns
                derivatives[member, written : written + fit.columns] = residual
                written += fit.columns
                result[k] = (result[k][0] + float(losses.sum(dtype=np.float64)), result[k][1])
            sums = turned.T @ derivatives
            written = 0
            for k in mine:
                columns = slice(written, written + fits[k].columns)
                result[k][1][:-1] += sums[:, columns]
                result[k][1][-1] += derivatives[:, columns].sum(axis=0, dtype=np.float64)
                written += fits[k].columns
    return result


def _normalized(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    # Bit for bit what scikit-learn's `normalize` makes of them, which checks first what is known of
    # a block: that its numbers are finite. Of small blocks that takes most of the time.
    lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    lengths[lengths < 10 * np.finfo(np.float32).eps] = 1
    unit: NDArray[np.float32] = rows / lengths[:, None]
    return unit


def _weights(fit: Fit) -> list[NDArray[np.float64]]:
    if isinstance(fit.request, Evaluate):
        return [fit.view.to_rows(fit.request.point)]
    assert fit.request is not None
    return [fit.view.to_rows(fit.request.state), fit.view.to_rows(fit.request.direction)]


def _answer(fit: Fit, losses: float, sums: NDArray[np.float64]) -> Any:
    request = fit.request
    assert request is not None
    found = request.strength * fit.view.of_sums(sums)
    if isinstance(request, HessianProduct):
        result = found + request.direction
        result[-1] -= (1 - fit.intercept_penalty) * request.direction[-1]
        return result.astype(np.float32)
    penalty = request.point.copy()
    penalty[-1] *= fit.intercept_penalty
    value = request.strength * losses + float((penalty * request.point).sum() / 2)
    return value, found + penalty, request.point


class _Sample:
    # The part of a fit's rows that is in memory, in the basis of its principal axes, where the
    # conjugate gradients on it take the fewest steps. Beside these axes, where the sample says
    # nothing, the Hessian is taken as flat as along the flattest of them.

    def __init__(self, fit: Fit, rows: NDArray[np.float32], places: NDArray[np.int64]) -> None:
        seen = fit.view(rows)
        self.axes, self.flattest = _axes(seen)
        self.problem = Problem(
            seen @ self.axes,
            fit.loss,
            fit.targets[places],
            fit.columns,
            intercept_penalty=fit.intercept_penalty,
        )
        self.times = int(fit.member.sum()) / max(1, len(places))

    def preconditioner(self, request: Precondition) -> Callable[..., NDArray[np.float32]]:
        strength = request.strength * self.times
        point = self.inside(request.state)
        _, _, state = self.problem.answer(Evaluate(point, strength, False))
        diagonal = self.problem.answer(Precondition(state, strength))
        curvature = self.problem.loss.curvature_diagonal(state).sum(axis=0)
        flat = 1 + strength * self.flattest * curvature

        def apply(residual: NDArray[np.float32]) -> NDArray[np.float32]:
            inside = self.inside(residual)
            step = self.problem.drive(
                conjugate_gradients(
                    -inside, state, strength, diagonal, tolerance=0.1, max_steps=SAMPLE_STEPS
                )
            ).astype(np.float32)
            result = np.concatenate([self.axes @ step[:-1], step[-1:]])
            if self.axes.shape[1] < self.axes.shape[0]:
                result[:-1] += (residual[:-1] - self.axes @ inside[:-1]) / flat
            return result

        return apply

    def inside(self, solution: NDArray[Any]) -> NDArray[Any]:
        return np.concatenate([self.axes.T.astype(solution.dtype) @ solution[:-1], solution[-1:]])


def _axes(rows: NDArray[np.float32]) -> tuple[NDArray[np.float32], float]:
    # (D, r) orthonormal axes that span the rows, and the variance along the flattest of them.
    n, width = rows.shape
    if n > width:
        variance, vectors = np.linalg.eigh(rows.T.astype(np.float64) @ rows)
        return vectors.astype(np.float32), float(variance[0].clip(0) / n)
    variance, vectors = np.linalg.eigh(rows.astype(np.float64) @ rows.T)
    kept = variance > NEGLIGIBLE * max(variance[-1], np.finfo(float).tiny)
    length = np.sqrt(variance[kept])
    return rows.T @ (vectors[:, kept] / length).astype(np.float32), float(length[0] ** 2 / n)


def _draw(rows: StoredRows, seed: int) -> NDArray[np.int64]:
    # Room for the sample itself and for each of four fits' copies and axes.
    width = rows.width
    most = rows.memory // (48 * max(1, width))
    if width > MOST_AXES:
        most = min(most, MOST_AXES)
    count = min(len(rows), max(SMALLEST_SAMPLE, min(most, max(LARGEST_SAMPLE, 10 * width))))
    chosen = np.random.default_rng(seed).choice(len(rows), count, replace=False)
    return np.sort(chosen)

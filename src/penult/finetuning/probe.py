"""The frozen network's linear classifier: what fine-tuning starts from, and has to beat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.classify.linear.basis import LinearWeights, principal_basis
from penult.classify.linear.logistic import fit_path
from penult.classify.linear.losses import class_weights
from penult.finetuning.calibration import mean_loss

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Probe", "solve_probe"]

_STRENGTHS = (1.0, 10.0, 100.0, 1_000.0, 10_000.0)


@dataclass(frozen=True, kw_only=True, eq=False)
class Probe:
    """A multinomial logistic regression on rows as they are.

    Attributes
    ----------
    weights : LinearWeights
        From rows to the logits of all K classes; of classes that have no photo they are 0, and
        the intercept so low that none is ever called.
    strength : float
        The inverse of the penalty, C, times the mean square of a row's length: so that it means
        the same for rows of any length.
    """

    weights: LinearWeights
    strength: float

    def logits(self, rows: NDArray[np.float32]) -> NDArray[np.float64]:
        """Apply it to (n, D) rows."""
        found: NDArray[np.float64] = rows @ self.weights.coefficients + self.weights.intercept
        return found


def solve_probe(
    rows: NDArray[np.float32],
    labels: NDArray[Any],
    *,
    classes: int,
    validation: tuple[NDArray[np.float32], NDArray[Any]] | None = None,
    class_weight: str | None = None,
    strengths: tuple[float, ...] = _STRENGTHS,
) -> Probe:
    """Solve for each strength in turn, and keep the one that does best on the validation part.

    Parameters
    ----------
    rows : float32 array, shape (n, D)
        To learn from.
    labels : int64 array, shape (n,), or bool array, shape (n, K)
        Their classes, or their labels where a photo may have several.
    classes : int
        K.
    validation : (rows, labels), optional
        By whose mean cross-entropy the strength is chosen; needed where there are several.
    class_weight : {"balanced"}, optional
        Whether all classes count alike.
    strengths : tuple of float
        Ascending; see `Probe.strength`.

    Returns
    -------
    Probe
    """
    several = labels.ndim == 2
    present = np.flatnonzero(
        labels.any(axis=0) if several else np.bincount(labels, minlength=classes)
    )
    known = labels[:, present] if several else np.searchsorted(present, labels)
    basis = principal_basis(rows)
    square = float(np.einsum("ij,ij->i", rows, rows, dtype=np.float64).mean()) or 1.0
    path = fit_path(
        basis.rows,
        known,
        [strength / square for strength in strengths],
        class_weights=class_weights(known, class_weight),
        center=False,
    )
    best: tuple[float, Probe] | None = None
    for strength, found in zip(strengths, path, strict=True):
        probe = Probe(
            weights=_of_all(basis.to_rows(found, rows), present, classes, several),
            strength=strength,
        )
        loss = 0.0 if validation is None else mean_loss(probe.logits(validation[0]), validation[1])
        if best is None or loss < best[0]:
            best = loss, probe
    assert best is not None
    return best[1]


def _of_all(
    weights: LinearWeights, present: NDArray[np.intp], classes: int, several: bool
) -> LinearWeights:
    """The weights of all classes, of those that occur."""
    coefficients, intercept = weights.coefficients, np.atleast_1d(weights.intercept)
    if not several and len(present) == 2:  # one vector for two classes
        coefficients = np.column_stack([-coefficients[:, 0] / 2, coefficients[:, 0] / 2])
        intercept = np.array([-intercept[0] / 2, intercept[0] / 2])
    of_all = np.zeros((len(coefficients), classes))
    lowest = np.full(classes, min(0.0, float(intercept.min())) - _NEVER)
    of_all[:, present], lowest[present] = coefficients, intercept
    return LinearWeights(of_all, lowest, weights.converged)


_NEVER = 20.0  # nats: a probability of 2e-9 beside the least likely class

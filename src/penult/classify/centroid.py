"""The nearest class mean as a linear classifier with probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from penult.classify.basis import Weights

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.classify.splits import Fold

__all__ = ["nearest_mean"]


def nearest_mean(
    rows: NDArray[np.float32], labels: NDArray[np.int64], folds: Sequence[Fold]
) -> Weights:
    """Weights whose softmax is that of minus the squared distance to each class's mean.

    ``-|x - m|² / T`` is, up to a part that all classes share, ``(2 x·m - |m|²) / T``: linear, with
    the nearest mean the most probable. This is what a prototypical network does with its rows
    (Snell et al. 2017); the temperature T has the least log-loss on the folds left out.

    Parameters
    ----------
    rows : (n, D) float32
    labels : (n,) int64 in 0 ... K - 1, every class occurring
    folds : of the rows; without any the distances are taken as they are, T = 1
    """
    sharpness = _sharpness(rows, labels, folds) if len(folds) else 1.0
    coefficients, intercept = _toward_means(rows, labels)
    if coefficients.shape[1] == 2:
        # Two classes are told apart by one column, as in scikit-learn.
        coefficients = coefficients[:, 1:] - coefficients[:, :1]
        intercept = intercept[1:] - intercept[:1]
    return Weights(sharpness * coefficients, sharpness * intercept)


def _sharpness(
    rows: NDArray[np.float32], labels: NDArray[np.int64], folds: Sequence[Fold]
) -> float:
    from scipy.optimize import minimize_scalar
    from scipy.special import logsumexp

    left_out = np.empty((len(rows), int(labels.max()) + 1))
    for train, test in folds:
        coefficients, intercept = _toward_means(rows[train], labels[train])
        left_out[test] = rows[test] @ coefficients + intercept
    right = left_out[np.arange(len(labels)), labels]

    def loss(log_sharpness: float) -> float:
        sharpness = np.exp(log_sharpness)
        return float((logsumexp(sharpness * left_out, axis=1) - sharpness * right).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-20, 20), method="bounded").x))


def _toward_means(
    rows: NDArray[np.float32], labels: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    counts = np.bincount(labels)
    means = np.stack([rows[labels == k].mean(axis=0, dtype=np.float64) for k in range(len(counts))])
    return 2 * means.T, -(means**2).sum(axis=1)

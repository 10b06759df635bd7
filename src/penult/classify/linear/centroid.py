"""The nearest class mean as a linear classifier with probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from penult.classify.linear.basis import LinearWeights
from penult.classify.linear.sharpness import sharpness

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.partition.splits import Fold

__all__ = ["nearest_mean", "toward_means"]


def nearest_mean(
    rows: NDArray[np.float32], labels: NDArray[np.int64], folds: Sequence[Fold]
) -> LinearWeights:
    """LinearWeights whose softmax is that of minus the squared distance to each class's mean.

    ``-|x - m|² / T`` is, up to a part that all classes share, ``(2 x·m - |m|²) / T``: linear, with
    the nearest mean the most probable. This is what a prototypical network does with its rows
    (Snell et al. 2017); 1/T is the `sharpness` on the folds left out.

    Parameters
    ----------
    rows : (n, D) float32
    labels : (n,) int64 in 0 ... K - 1, every class occurring
    folds : of the rows; without any the distances are taken as they are, T = 1
    """
    weights = toward_means(_means(rows, labels))
    if not len(folds):
        return weights
    left_out = np.empty((len(rows), len(weights.intercept)))
    for train, test in folds:
        found = toward_means(_means(rows[train], labels[train]))
        left_out[test] = rows[test] @ found.coefficients + found.intercept
    times = sharpness(left_out, labels)
    return LinearWeights(times * weights.coefficients, times * weights.intercept)


def toward_means(means: NDArray[np.float64]) -> LinearWeights:
    """LinearWeights that compare squared distances to class means, (K, D), with T = 1.

    Two classes are told apart by one column, as in scikit-learn.
    """
    coefficients, intercept = 2 * means.T, -(means**2).sum(axis=1)
    if len(means) == 2:
        coefficients = coefficients[:, 1:] - coefficients[:, :1]
        intercept = intercept[1:] - intercept[:1]
    return LinearWeights(coefficients, intercept)


def _means(rows: NDArray[np.float32], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    classes = range(int(labels.max()) + 1)
    return np.stack([rows[labels == k].mean(axis=0, dtype=np.float64) for k in classes])

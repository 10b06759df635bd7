"""The nearest class mean as a linear classifier with probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from penult.classify.linear.basis import LinearWeights

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["nearest_mean", "toward_means"]


def nearest_mean(rows: NDArray[np.float32], labels: NDArray[np.int64]) -> LinearWeights:
    """LinearWeights whose softmax is that of minus the squared distance to each class's mean.

    ``-|x - m|²`` is, up to a part that all classes share, ``2 x·m - |m|²``: linear, with
    the nearest mean the most probable. This is what a prototypical network does with its rows
    (Snell et al. 2017).

    Parameters
    ----------
    rows : (n, D) float32
    labels : (n,) int64 in 0 ... K - 1, every class occurring
    """
    classes = range(int(labels.max()) + 1)
    means = [rows[labels == k].mean(axis=0, dtype=np.float64) for k in classes]
    return toward_means(np.stack(means))


def toward_means(means: NDArray[np.float64]) -> LinearWeights:
    """LinearWeights that compare squared distances to class means, (K, D), with T = 1.

    Two classes are told apart by one column, as in scikit-learn.
    """
    coefficients, intercept = 2 * means.T, -(means**2).sum(axis=1)
    if len(means) == 2:
        coefficients = coefficients[:, 1:] - coefficients[:, :1]
        intercept = intercept[1:] - intercept[:1]
    return LinearWeights(coefficients, intercept)

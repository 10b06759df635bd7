"""The losses of linear classifiers, with their first and second derivatives by the logits.

Where classes are well separated, a probability rounds to 1 in float32, and its difference from 1
to 0, though that difference is what matters where C is large. So nothing here takes 1 - p of a p
that may be near 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SIGMOID", "SOFTMAX", "SQUARED_HINGE", "Loss", "choose_loss", "class_weights"]


@dataclass(frozen=True)
class Loss:
    """A loss that is a sum over rows, of (n, K) logits against targets.

    Attributes
    ----------
    evaluate : callable
        From logits and targets: the state, (n, K), that the curvature is made of; the derivative
        by the logits, (n, K); and the loss of each row, (n,), in nats.
    curvature_product : callable
        From the state and a change of the logits, (n, K), the change of the derivative.
    curvature_diagonal : callable
        From the state, the diagonal of that, (n, K).
    over_classes : bool
        Whether the columns are classes, of which a row has one, so that only the differences of its
        logits count.
    """

    evaluate: Callable[..., tuple[NDArray[Any], NDArray[Any], NDArray[Any]]]
    curvature_product: Callable[..., NDArray[np.float32]]
    curvature_diagonal: Callable[..., NDArray[np.float32]]
    over_classes: bool = False

    def weighted(self, weights: NDArray[np.float64] | None) -> Loss:
        """The loss whose rows count by their class, or in each column by their target.

        Parameters
        ----------
        weights : (K,) of each class, where a row has one; else (2, K): where the target is false,
            and where it is true. None leaves the loss as it is.
        """
        if weights is None:
            return self
        evaluate = partial(self.evaluate, weights=weights)
        if not self.over_classes:  # its curvature is a multiple of the state
            return replace(self, evaluate=evaluate)
        return Loss(evaluate, _weighted_softmax_product, _weighted_softmax_diagonal, True)


def class_weights(labels: NDArray[Any], class_weight: str | None) -> NDArray[np.float64] | None:
    """Weigh classes so that all of them count alike together, as scikit-learn's "balanced" does.

    Parameters
    ----------
    labels : (n,) int64 in 0 ... K - 1, every class occurring; or (n, K) bool
    class_weight : {"balanced"} or None

    Returns
    -------
    float64 array, or None
        (K,) of each class; or (2, K), of the rows without and of those with each label.
    """
    if class_weight is None:
        return None
    if labels.ndim == 1:
        counts = np.bincount(labels)
        return len(labels) / (len(counts) * counts)
    present = labels.sum(axis=0)
    # Where no row is without a label, or with it, none will have that weight.
    counts = np.stack([len(labels) - present, present]).clip(1)
    return len(labels) / (2 * counts)


def choose_loss(
    labels: NDArray[Any], weights: NDArray[np.float64] | None = None
) -> tuple[Loss, NDArray[Any], int]:
    """Choose the loss of logistic regression, its targets, and the number K of its columns.

    Parameters
    ----------
    labels : (n,) int64 or (n, K) bool
        Classes 0 ... K - 1: multinomial, or binomial with one column for two classes; or several
        labels an image: binomial in each column.
    weights : of `class_weights`
    """
    if labels.ndim == 2:
        return SIGMOID.weighted(weights), labels, labels.shape[1]
    classes = int(labels.max()) + 1
    if classes == 2:
        column = None if weights is None else weights[:, None]
        return SIGMOID.weighted(column), (labels == 1)[:, None], 1
    return SOFTMAX.weighted(weights), labels, classes


def _softmax(
    logits: NDArray[Any], labels: NDArray[np.int64], weights: NDArray[Any] | None = None
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    n = np.arange(len(labels))
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
    if weights is not None:
        each = weights[labels].astype(logits.dtype)
        probabilities *= each[:, None]
        residual *= each[:, None]
        losses *= each
    return probabilities, residual, losses


def _softmax_product(
    state: NDArray[np.float32], change: NDArray[np.float32]
) -> NDArray[np.float32]:
    # (diag(p) - p p') change, row by row.
    top = state.argmax(axis=1)[:, None]
    change = change - np.take_along_axis(change, top, axis=1)
    change -= np.einsum("ij,ij->i", state, change)[:, None]
    return state * change


def _softmax_diagonal(state: NDArray[np.float32]) -> NDArray[np.float32]:
    # p (1 - p), row by row.
    top = state.argmax(axis=1)[:, None]
    diagonal = state * (1 - state)
    others = state.copy()
    np.put_along_axis(others, top, 0, axis=1)
    rest = others.sum(axis=1, keepdims=True)
    np.put_along_axis(diagonal, top, np.take_along_axis(state, top, axis=1) * rest, axis=1)
    return diagonal


# The same where the state is the probabilities times the weight of the row, which is their sum.


def _weighted_softmax_product(
    state: NDArray[np.float32], change: NDArray[np.float32]
) -> NDArray[np.float32]:
    top = state.argmax(axis=1)[:, None]
    change = change - np.take_along_axis(change, top, axis=1)
    change -= (np.einsum("ij,ij->i", state, change) / _row_weights(state))[:, None]
    return state * change


def _weighted_softmax_diagonal(state: NDArray[np.float32]) -> NDArray[np.float32]:
    weight = _row_weights(state)[:, None]
    diagonal: NDArray[np.float32] = weight * _softmax_diagonal(state / weight)
    return diagonal


def _row_weights(state: NDArray[np.float32]) -> NDArray[np.float32]:
    weights: NDArray[np.float32] = state.sum(axis=1).clip(np.finfo(np.float32).tiny)
    return weights


def _sigmoid(
    logits: NDArray[Any], targets: NDArray[np.bool_], weights: NDArray[Any] | None = None
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    from scipy.special import expit

    sign = np.where(targets, 1, -1).astype(logits.dtype)
    margin = sign * logits
    wrong = expit(-margin)
    return _by_column(
        wrong * expit(margin), -sign * wrong, np.logaddexp(0, -margin), targets, weights
    )


def _squared_hinge(
    logits: NDArray[Any], targets: NDArray[np.bool_], weights: NDArray[Any] | None = None
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    sign = np.where(targets, 1, -1).astype(logits.dtype)
    short = (1 - sign * logits).clip(0)
    curvature = 2 * (short > 0).astype(logits.dtype)
    return _by_column(curvature, -2 * sign * short, short**2, targets, weights)


def _by_column(
    state: NDArray[Any],
    residual: NDArray[Any],
    losses: NDArray[Any],
    targets: NDArray[np.bool_],
    weights: NDArray[Any] | None,
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    # Each column's losses, weighted by its targets and summed.
    if weights is not None:
        absent, present = weights.astype(state.dtype)
        each = np.where(targets, present, absent)
        state, residual, losses = state * each, residual * each, losses * each
    return state, residual, losses.sum(axis=1)


def _product(state: NDArray[np.float32], change: NDArray[np.float32]) -> NDArray[np.float32]:
    return state * change


def _diagonal(state: NDArray[np.float32]) -> NDArray[np.float32]:
    return state


SOFTMAX = Loss(_softmax, _softmax_product, _softmax_diagonal, over_classes=True)
SIGMOID = Loss(_sigmoid, _product, _diagonal)
# Its second derivative jumps at the margin; Newton's method takes either side of it.
SQUARED_HINGE = Loss(_squared_hinge, _product, _diagonal)

"""The losses of linear classifiers, with their first and second derivatives by the logits.

Where classes are well separated, a probability rounds to 1 in float32, and its difference from 1
to 0, though that difference is what matters where C is large. So nothing here takes 1 - p of a p
that may be near 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SIGMOID", "SOFTMAX", "SQUARED_HINGE", "Loss", "choose_loss"]


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
    """

    evaluate: Callable[..., tuple[NDArray[Any], NDArray[Any], NDArray[Any]]]
    curvature_product: Callable[..., NDArray[np.float32]]
    curvature_diagonal: Callable[..., NDArray[np.float32]]


def choose_loss(labels: NDArray[Any]) -> tuple[Loss, NDArray[Any], int]:
    """Choose the loss of logistic regression, its targets, and the number K of its columns.

    Parameters
    ----------
    labels : (n,) int64 or (n, K) bool
        Classes 0 ... K - 1: multinomial, or binomial with one column for two classes; or several
        labels an image: binomial in each column.
    """
    if labels.ndim == 2:
        return SIGMOID, labels, labels.shape[1]
    classes = int(labels.max()) + 1
    if classes == 2:
        return SIGMOID, (labels == 1)[:, None], 1
    return SOFTMAX, labels, classes


def _softmax(
    logits: NDArray[Any], labels: NDArray[np.int64]
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


def _sigmoid(
    logits: NDArray[Any], targets: NDArray[np.bool_]
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    from scipy.special import expit

    sign = np.where(targets, 1, -1).astype(logits.dtype)
    margin = sign * logits
    wrong = expit(-margin)
    return wrong * expit(margin), -sign * wrong, np.logaddexp(0, -margin).sum(axis=1)


def _squared_hinge(
    logits: NDArray[Any], targets: NDArray[np.bool_]
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    sign = np.where(targets, 1, -1).astype(logits.dtype)
    short = (1 - sign * logits).clip(0)
    return 2 * (short > 0).astype(logits.dtype), -2 * sign * short, (short**2).sum(axis=1)


def _product(state: NDArray[np.float32], change: NDArray[np.float32]) -> NDArray[np.float32]:
    return state * change


def _diagonal(state: NDArray[np.float32]) -> NDArray[np.float32]:
    return state


SOFTMAX = Loss(_softmax, _softmax_product, _softmax_diagonal)
SIGMOID = Loss(_sigmoid, _product, _diagonal)
# Its second derivative jumps at the margin; Newton's method takes either side of it.
SQUARED_HINGE = Loss(_squared_hinge, _product, _diagonal)

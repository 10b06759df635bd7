"""The losses of linear classifiers: how wrong logits are, which way is better, how curved it is.

Where classes are apart, a probability rounds to 1 in float32 and what is left of it to 0, though a
large C makes exactly that count. So nothing here takes 1 - p of a p that may be near 1.
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
    compare : logits and targets to what was said, (n, K), from which the curvature is made; the
        loss's derivative by the logits, (n, K); and the loss of each row, (n,), in nats
    curve : what was said and a change of the logits, (n, K), to the change of the derivative
    spread : what was said to the diagonal of that, (n, K)
    """

    compare: Callable[..., tuple[NDArray[Any], NDArray[Any], NDArray[Any]]]
    curve: Callable[..., NDArray[np.float32]]
    spread: Callable[..., NDArray[np.float32]]


def choose_loss(labels: NDArray[Any]) -> tuple[Loss, NDArray[Any], int]:
    """Choose the loss of logistic regression, its targets, and the number K of its columns.

    Parameters
    ----------
    labels : (n,) int64 in 0 ... K - 1: multinomial, or binomial with one column for two classes;
        or (n, K) bool, several labels an image: binomial in each column
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


def _softmax_curve(said: NDArray[np.float32], change: NDArray[np.float32]) -> NDArray[np.float32]:
    # (diag(p) - p p') change, row by row.
    top = said.argmax(axis=1)[:, None]
    change = change - np.take_along_axis(change, top, axis=1)
    change -= np.einsum("ij,ij->i", said, change)[:, None]
    return said * change


def _softmax_spread(said: NDArray[np.float32]) -> NDArray[np.float32]:
    # p (1 - p), row by row.
    top = said.argmax(axis=1)[:, None]
    spread = said * (1 - said)
    others = said.copy()
    np.put_along_axis(others, top, 0, axis=1)
    rest = others.sum(axis=1, keepdims=True)
    np.put_along_axis(spread, top, np.take_along_axis(said, top, axis=1) * rest, axis=1)
    return spread


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


def _times(said: NDArray[np.float32], change: NDArray[np.float32]) -> NDArray[np.float32]:
    return said * change


def _itself(said: NDArray[np.float32]) -> NDArray[np.float32]:
    return said


SOFTMAX = Loss(_softmax, _softmax_curve, _softmax_spread)
SIGMOID = Loss(_sigmoid, _times, _itself)
# Its second derivative jumps at the margin; Newton's method takes either side of it.
SQUARED_HINGE = Loss(_squared_hinge, _times, _itself)

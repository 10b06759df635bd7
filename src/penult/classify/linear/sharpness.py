"""How sure a classifier may be: one factor for its decisions, found on rows it has not seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from penult.classify.linear.basis import row_blocks

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["sharpness"]


def sharpness(left_out: NDArray[np.floating[Any]], labels: NDArray[np.int64]) -> float:
    """Find the factor by which decisions become logits, with the least log-loss.

    It is one over the temperature of Guo et al., "On Calibration of Modern Neural Networks" (ICML
    2017), and changes no decision. As in Platt's method the targets are not quite certain, or the
    factor would be infinite where all decisions are right: each row counts as if one row more had
    been found to be of any class.

    Parameters
    ----------
    left_out : (n, K) decisions, or (n, 1) of two classes, about rows that took no part in the fit
    labels : (n,) int64 in 0 ... K - 1
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import logsumexp

    n = len(labels)
    blocks = list(row_blocks(left_out))

    def logits_of(part: slice) -> NDArray[np.float64]:
        logits = left_out[part].astype(np.float64)
        if logits.shape[1] == 1:
            logits = np.concatenate([np.zeros_like(logits), logits], axis=1)
        return logits

    right = np.empty(n)
    for part in blocks:
        logits, of = logits_of(part), labels[part]
        right[part] = (n * logits[np.arange(len(of)), of] + logits.mean(axis=1)) / (n + 1)

    # A block at a time: there are several copies of its numbers.
    def loss(log_factor: float) -> float:
        factor = np.exp(log_factor)
        losses = np.empty(n)
        for part in blocks:
            losses[part] = logsumexp(factor * logits_of(part), axis=1) - factor * right[part]
        return float(losses.mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-20, 20), method="bounded").x))

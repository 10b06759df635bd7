"""How sure a network may be: one temperature, found on photos that did not train it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["fit_temperature", "mean_loss", "probabilities"]

_WIDEST = 5.0  # e**5 times as sure, or as unsure


def probabilities(
    logits: NDArray[np.floating[Any]], *, several: bool, temperature: float = 1.0
) -> NDArray[np.float64]:
    """Turn logits into probabilities.

    Parameters
    ----------
    logits : array, shape (n, K)
    several : bool
        Whether an image may have several labels, each with a probability of its own.
    temperature : float
        The logits are divided by it.

    Returns
    -------
    float64 array, shape (n, K)
    """
    from scipy.special import expit, softmax

    scaled = np.asarray(logits, np.float64) / temperature
    found: NDArray[np.float64] = expit(scaled) if several else softmax(scaled, axis=1)
    return found


def mean_loss(
    logits: NDArray[np.floating[Any]], truth: NDArray[Any], *, temperature: float = 1.0
) -> float:
    """Average the cross-entropy over images, in nats.

    Parameters
    ----------
    logits : array, shape (n, K)
    truth : int64 array, shape (n,), or bool array, shape (n, K)
        The class of each image; or its labels, where it may have several: then it is the binary
        cross-entropy, averaged over labels as well.
    temperature : float
        The logits are divided by it.

    Returns
    -------
    float
    """
    scaled = np.asarray(logits, np.float64) / temperature
    if truth.ndim == 2:
        return float(np.logaddexp(0.0, np.where(truth, -scaled, scaled)).mean())
    from scipy.special import logsumexp

    return float((logsumexp(scaled, axis=1) - scaled[np.arange(len(truth)), truth]).mean())


def fit_temperature(logits: NDArray[np.floating[Any]], truth: NDArray[Any]) -> float:
    """Find the temperature of least cross-entropy (Guo et al. 2017, section 4.2).

    It changes no decision, for it keeps the order of the classes. Where all of few images are
    right, the surer the better, without end, and little is known; so the temperature is the most
    likely one if its logarithm is normal around 0 with a standard deviation of 1 beforehand:
    without evidence it is 1, and some hundred images outweigh that.

    Parameters
    ----------
    logits : array, shape (n, K)
        Of images that did not train the network.
    truth : as for `mean_loss`

    Returns
    -------
    float
        Above 0.
    """
    from scipy.optimize import minimize_scalar

    def loss(log: float) -> float:
        own = mean_loss(logits, truth, temperature=float(np.exp(log)))
        return own + log**2 / (2 * len(truth))

    found = minimize_scalar(
        loss,
        bounds=(-_WIDEST, _WIDEST),
        method="bounded",
        options={"xatol": 1e-6},
    )
    return float(np.exp(found.x))

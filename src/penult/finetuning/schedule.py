"""How fast each weight learns at each step."""

from __future__ import annotations

import math

__all__ = ["block_rates", "rate_factor"]

WARM_UP = 0.1
"""The share of all steps over which the rate rises."""


def block_rates(lr: float, decay: float, blocks: int) -> tuple[float, ...]:
    """Give each unfrozen block its learning rate, first block first.

    The head learns at `lr`, the block below it at ``lr * decay``, the next at ``lr * decay**2``:
    layers near the image are more general and change less (Howard & Ruder, "Universal Language
    Model Fine-tuning for Text Classification", ACL 2018, section 3.2; BEiT, Bao et al. 2022).

    Parameters
    ----------
    lr : float
        Of the head.
    decay : float
        From block to block, in (0, 1].
    blocks : int
        How many are unfrozen.

    Returns
    -------
    tuple of float

    Examples
    --------
    >>> block_rates(0.1, 0.5, 2)
    (0.025, 0.05)
    """
    return tuple(lr * decay**depth for depth in range(blocks, 0, -1))


def rate_factor(step: int, steps: int) -> float:
    """Say by how much all rates are multiplied at a step.

    A linear rise over the first tenth, then half a cosine down to 0 (Goyal et al. 2017, "Accurate,
    Large Minibatch SGD"; Loshchilov & Hutter, "SGDR", ICLR 2017, without restarts).

    Parameters
    ----------
    step : int
        From 0.
    steps : int
        How many there are.

    Returns
    -------
    float
        In (0, 1] for every step below `steps`.

    Examples
    --------
    >>> [round(rate_factor(step, 20), 2) for step in (0, 1, 2, 11, 19)]
    [0.5, 1.0, 1.0, 0.5, 0.01]
    """
    rise = max(1, round(WARM_UP * steps))
    if step < rise:
        return (step + 1) / rise
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, steps - rise)))

"""Weights between those that a training started from and those that it came to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from penult.finetuning.history import History
    from penult.finetuning.network import HeadedNetwork

__all__ = ["SHARES", "average_weights", "best_share", "between"]

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Of the result; 0 is the start."""


def between(
    start: Mapping[str, torch.Tensor], result: Mapping[str, torch.Tensor], share: float
) -> dict[str, torch.Tensor]:
    """Average two states of one network, as WiSE-FT does.

    Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022, equation 1. What is no
    floating-point number, as a counter of batches, is the result's.

    Parameters
    ----------
    start, result : mapping of str to tensor
        Of the same names and shapes.
    share : float
        Of the result, in [0, 1]; at its ends, the state is either one to the last bit.
    """
    if share in (0.0, 1.0):
        return dict(result if share else start)
    return {
        name: torch.lerp(start[name], tensor, share) if tensor.is_floating_point() else tensor
        for name, tensor in result.items()
    }


def best_share(losses: Callable[[float], float]) -> float:
    """Find the share of least loss; of equal ones, the largest.

    Parameters
    ----------
    losses : callable
        From a share to the loss on the validation images.
    """
    found = {share: losses(share) for share in SHARES}
    return min(reversed(SHARES), key=found.__getitem__)


def average_weights(network: HeadedNetwork, history: History, loss: Callable[[], float]) -> float:
    """Average a trained network's weights with the start's, as far as validation is for it.

    Parameters
    ----------
    network : HeadedNetwork
        Which gets the average.
    history : History
        What it started from, and came to.
    loss : callable
        Gives the network's loss on the validation images.

    Returns
    -------
    float
        The share of what it came to; see `between`.
    """

    def loss_at(share: float) -> float:
        network.load_learned(between(history.start, history.learned, share))
        return loss()

    share = best_share(loss_at)
    network.load_learned(between(history.start, history.learned, share))
    return share

"""The layers that turn rows into logits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from penult.classify.linear.basis import LinearWeights

__all__ = ["hidden_head", "linear_head"]


def linear_head(weights: LinearWeights) -> nn.Linear:
    """Make a layer of the weights of a solved probe, (D, K)."""
    width, classes = weights.coefficients.shape
    head = nn.Linear(width, classes, device="meta").to_empty(device="cpu")
    with torch.no_grad():
        head.weight.copy_(torch.from_numpy(weights.coefficients.T.copy()))
        head.bias.copy_(torch.from_numpy(weights.intercept.copy()))
    return head


def hidden_head(width: int, hidden: int, classes: int, *, seed: int) -> nn.Sequential:
    """Make a head with one hidden layer of ReLUs, initialised as torch does, by a seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, classes))

"""What the optimiser is given: the parameters that learn, by their learning rate and decay."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from penult.finetuning.schedule import block_rates

if TYPE_CHECKING:
    from torch import nn

    from penult.finetuning.blocks import Block
    from penult.finetuning.network import HeadedNetwork
    from penult.finetuning.options import FinetuneOptions

__all__ = ["parameter_groups"]


def parameter_groups(
    network: HeadedNetwork, options: FinetuneOptions, blocks: Sequence[Block]
) -> list[dict[str, Any]]:
    """Group parameters for AdamW.

    Biases, scales and shifts are not decayed, nor what the network itself excepts: timm's have a
    method `no_weight_decay` that names tokens and positions.

    Parameters
    ----------
    network : HeadedNetwork
    options : FinetuneOptions
        The head's learning rate, how it falls from block to block, and the weight decay.
    blocks : sequence of Block
        What learns beside the head, first to last; none where the head alone does.

    Returns
    -------
    list of dict
        Each with ``params``, ``lr`` and ``weight_decay``; the head's come last.
    """
    lr = options.rate(alone=not blocks)
    rates = block_rates(lr, options.layer_decay, len(blocks))
    learning = [
        *((network.parameters_of(block), rate) for block, rate in zip(blocks, rates, strict=True)),
        (list(network.head.parameters()), lr),
    ]
    groups, excepted = [], _excepted(network.inner)
    for members, rate in learning:
        for decayed in (False, True):
            these = [
                one for one in members if (one.ndim > 1 and id(one) not in excepted) == decayed
            ]
            if these:
                decay = options.weight_decay if decayed else 0.0
                groups.append({"params": these, "lr": rate, "weight_decay": decay})
    return groups


def _excepted(inner: nn.Module) -> set[int]:
    """Which parameters a network does not want to be decayed, by their `id`."""
    names = getattr(inner, "no_weight_decay", None)
    patterns = tuple(names()) if callable(names) else ()
    return {
        id(parameter)
        for name, parameter in inner.named_parameters()
        if any(fnmatchcase(name, pattern) for pattern in patterns)
    }

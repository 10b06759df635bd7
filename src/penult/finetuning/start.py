"""The network that a fine-tuning begins with: a copy of the backbone's, and a new head."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import torch

from penult.engines.row_network import RowNetwork
from penult.errors import UsageError
from penult.finetuning.blocks import Block, find_blocks
from penult.finetuning.heads import hidden_head, linear_head
from penult.finetuning.network import HeadedNetwork
from penult.interface import option
from penult.wording import count

if TYPE_CHECKING:
    from penult.backbones.backbone import Backbone
    from penult.classify.linear.basis import LinearWeights
    from penult.finetuning.options import FinetuneOptions

__all__ = ["starting_network"]


def starting_network(
    backbone: Backbone, options: FinetuneOptions, weights: LinearWeights
) -> HeadedNetwork:
    """Build it.

    Parameters
    ----------
    backbone : Backbone
        Left as it is.
    options : FinetuneOptions
        How many blocks are unfrozen, and what the head is.
    weights : LinearWeights
        Of the solved probe, from (N, D) rows to (N, K) logits: a linear head starts with them.

    Returns
    -------
    HeadedNetwork

    Raises
    ------
    UsageError
        If the network has too few blocks.
    """
    rows = copy.deepcopy(RowNetwork(backbone, [backbone.recipe()]))
    rows.to(memory_format=torch.channels_last)
    width, classes = weights.coefficients.shape
    head: torch.nn.Module = linear_head(weights)
    if options.hidden:
        head = hidden_head(width, options.hidden, classes, seed=options.seed)
    blocks: tuple[Block, ...] = ()
    learn = 0
    if options.blocks != 0:
        blocks = find_blocks(rows, backbone.preprocessing.input_size)
        learn = len(blocks) if options.blocks is None else options.blocks
        if not blocks:
            raise UsageError(
                f"{backbone.described} has no weights before its row; give "
                f"{option('unfreeze', 'none')}"
            )
        if learn > len(blocks):
            raise UsageError(
                f"{option('unfreeze', options.unfreeze)} was given, and "
                f"{backbone.described} has {count(len(blocks), 'block')}; give "
                f"{option('unfreeze', 'all')}"
            )
    frozen = len(blocks) - learn
    return HeadedNetwork(
        rows,
        head,
        blocks[frozen:],
        frozen=blocks[:frozen],
        fixed_statistics=options.batch_norm == "fixed",
    )

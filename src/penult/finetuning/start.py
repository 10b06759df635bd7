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

__all__ = ["divide_blocks", "find_all_blocks", "require_trainable", "starting_network"]


def starting_network(
    backbone: Backbone,
    options: FinetuneOptions,
    weights: LinearWeights,
    *,
    channels_last: bool = True,
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
    channels_last : bool, default=True
        How maps lie in memory.

    Returns
    -------
    HeadedNetwork

    Raises
    ------
    UsageError
        If the network has too few blocks.
    """
    rows = copy.deepcopy(RowNetwork(backbone, [backbone.recipe()], channels_last=channels_last))
    rows.to(memory_format=torch.channels_last if channels_last else torch.contiguous_format)
    width, classes = weights.coefficients.shape
    head: torch.nn.Module = linear_head(weights)
    if options.hidden:
        head = hidden_head(width, options.hidden, classes, seed=options.seed)
    frozen, unfrozen = divide_blocks(backbone, options, rows)
    return HeadedNetwork(
        rows,
        head,
        unfrozen,
        frozen=frozen,
        fixed_statistics=options.batch_norm == "fixed",
    )


def require_trainable(backbone: Backbone) -> None:
    """Refuse a network of which there is no torch module.

    Raises
    ------
    UsageError
    """
    if "torch" not in backbone.metadata.forms:
        raise UsageError(
            f"{backbone.described} cannot be trained: it is there as a finished graph alone; "
            f"give the network that it was made of"
        )


def find_all_blocks(backbone: Backbone, rows: RowNetwork | None = None) -> tuple[Block, ...]:
    """Find the blocks of a network up to its penultimate row, first to last.

    Parameters
    ----------
    backbone : Backbone
    rows : RowNetwork, optional
        What gives its rows, if there is one.
    """
    rows = rows or RowNetwork(backbone, [backbone.recipe()])
    return find_blocks(rows, backbone.preprocessing.input_size)


def divide_blocks(
    backbone: Backbone, options: FinetuneOptions, rows: RowNetwork | None = None
) -> tuple[tuple[Block, ...], tuple[Block, ...]]:
    """Say which blocks of a network stay as they are, and which learn.

    Parameters
    ----------
    backbone : Backbone
    options : FinetuneOptions
    rows : RowNetwork, optional
        What gives its rows, if there is one.

    Returns
    -------
    frozen, unfrozen : tuple of Block
        First to last; both empty where the head alone learns.

    Raises
    ------
    UsageError
        If there are fewer blocks than are to learn.
    """
    if options.blocks == 0:
        return (), ()
    blocks = find_all_blocks(backbone, rows)
    learn = len(blocks) if options.blocks is None else options.blocks
    if not blocks:
        raise UsageError(
            f"{backbone.described} has no weights before its row; give {option('unfreeze', 'none')}"
        )
    if learn > len(blocks):
        raise UsageError(
            f"{option('unfreeze', options.unfreeze)} was given, and "
            f"{backbone.described} has {count(len(blocks), 'block')}; give "
            f"{option('unfreeze', 'all')}"
        )
    return blocks[: len(blocks) - learn], blocks[len(blocks) - learn :]

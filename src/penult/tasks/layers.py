"""The layers of a backbone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from penult.backbones.layer import Layout, match_layers
from penult.backbones.registry import open_without_download
from penult.backbones.weights.choice import WeightsChoice
from penult.checking import checked
from penult.errors import UsageError
from penult.extras import require_torch
from penult.representation import Records, short_repr

if TYPE_CHECKING:
    from penult.backbones.backbone import Backbone

__all__ = ["LayerInfo", "layers"]


@short_repr
@dataclass(frozen=True, kw_only=True)
class LayerInfo:
    """What is known of a layer, and of its rows.

    Attributes
    ----------
    backbone : str
        The network, in words.
    name : str
        Module path, or ``"penultimate"`` or ``"logits"``: what ``layer`` takes.
    type : str
        The module's class.
    shape : tuple of int
        Of the activation of one image.
    layout : {"vector", "NCHW", "NHWC", "NTD", "other"}
        What the axes mean, with that of the images in front.
    calls : int
        How often the module runs in one forward pass.
    prefix_tokens : int
        Of tokens, how many in front are no patches.
    has_class_token : bool
        Whether the first of them is a class token.
    length : int
        How many numbers the activation has.
    row : tuple of int
        Shape of a row, with the pooling that suits the layer.
    unfreeze : int or None
        Of the first layer of a block, the smallest `unfreeze` of `penult.finetune` with which it
        learns: 1 for the last block. None where blocks were not asked for.
    """

    backbone: str
    name: str
    type: str
    shape: tuple[int, ...]
    layout: Layout
    calls: int
    prefix_tokens: int
    has_class_token: bool
    length: int
    row: tuple[int, ...]
    unfreeze: int | None = None


@checked
def layers(
    model: str,
    pattern: str = "*",
    *,
    blocks: bool = False,
    weights: str | Path | None = None,
    architecture: str | None = None,
) -> list[LayerInfo]:
    """List the layers of a backbone in execution order.

    Needs no weights: none are downloaded.

    Parameters
    ----------
    model : str
        Backbone, as listed by `penult.models`.
    pattern : str, default='*'
        A layer, or a glob such as ``"layer4.*"``.
    blocks : bool, default=False
        List only the first layer of each block that ``unfreeze`` of `penult.finetune` counts. The
        network is run once for that, which needs torch.
    weights : path or "random", optional
        In place of the pretrained weights.
    architecture : str, optional
        For a plain state dict (``checkpoint:PATH``), the backbone that it fits.

    Returns
    -------
    list of LayerInfo
        One a layer.

    Raises
    ------
    UnknownNameError
        If there is no such backbone or layer; suggests close names.
    UsageError
        If no block begins with a layer of that pattern, or the network cannot be fine-tuned.
    WeightsError, MissingExtraError
        If the network cannot be had.
    """
    if blocks:
        require_torch("a network's blocks")
    backbone = open_without_download(model, WeightsChoice.of(weights, architecture=architecture))
    found = [
        LayerInfo(
            backbone=backbone.described,
            **vars(layer),
            length=layer.length,
            row=layer.pooled_shape(layer.default_pooling),
        )
        for layer in match_layers(
            backbone.layers,
            [pattern],
            backbone=backbone.name,
            architecture=backbone.architecture,
        )
    ]
    shown: tuple[str, ...] = ("name", "type", "shape", "layout", "row")
    if blocks:
        found = _first_of_blocks(found, _unfreeze(backbone), pattern)
        shown = (*shown, "unfreeze")
    return Records(found, "layer", shown)


def _unfreeze(backbone: Backbone) -> dict[str, int]:
    """The first layer of each block, and how many blocks there are from it on."""
    from penult.finetuning.start import find_all_blocks, require_trainable

    require_trainable(backbone)
    found = find_all_blocks(backbone)
    return {block.name: len(found) - k for k, block in enumerate(found)}


def _first_of_blocks(
    found: list[LayerInfo], unfreeze: dict[str, int], pattern: str
) -> list[LayerInfo]:
    kept = [replace(one, unfreeze=unfreeze[one.name]) for one in found if one.name in unfreeze]
    if not kept:
        raise UsageError(f"no block begins with a layer like {pattern}; leave that out to see all")
    return kept

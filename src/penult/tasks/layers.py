"""The layers of a backbone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from penult.backbones.layer import Layout, match_layers
from penult.backbones.registry import open_without_download
from penult.backbones.weights.choice import WeightsChoice
from penult.checking import checked
from penult.representation import Records, short_repr

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


@checked
def layers(
    model: str,
    pattern: str = "*",
    *,
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
    WeightsError, MissingExtraError
        If the network cannot be had.
    """
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
    return Records(found, "layer", ("name", "type", "shape", "layout", "row"))

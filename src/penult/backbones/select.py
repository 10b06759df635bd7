"""From the layers, pooling and normalisation a user asks for to recipes."""

from __future__ import annotations

from collections.abc import Sequence

from penult.backbones.base import ENDS, Backbone
from penult.recipe import Recipe

__all__ = ["select"]


def select(
    backbone: Backbone,
    layers: Sequence[str] = ("penultimate",),
    pooling: str | None = None,
    normalize: str = "none",
) -> list[Recipe]:
    """One recipe a layer, in execution order, each layer once.

    Parameters
    ----------
    layers : exact names and globs
    pooling : applies to the layers that have something to pool; where none has, it is refused

    Raises
    ------
    UnknownNameError, UsageError
    """
    if len(layers) == 1 and layers[0] in ENDS:
        return [backbone.recipe(layers[0], pooling, normalize)]
    from penult.backbones.layers import match_layers

    matched = match_layers(backbone.layers, layers, backbone=backbone.name)
    vectors_only = all(layer.layout == "vector" for layer in matched)
    return [
        backbone.recipe(
            layer.name,
            pooling if vectors_only or layer.layout != "vector" else None,
            normalize,
        )
        for layer in matched
    ]

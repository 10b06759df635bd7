"""From the layers, pooling and normalisation a user asks for to recipes; knows nothing of torch."""

from __future__ import annotations

from collections.abc import Iterable

from penult.backbones.backbone import Backbone
from penult.backbones.layer import ENDS, match_layers
from penult.recipe import Recipe

__all__ = ["select"]


def select(
    backbone: Backbone,
    layers: Iterable[str] = ("penultimate",),
    pooling: str | None = None,
    normalize: str = "none",
) -> list[Recipe]:
    """One recipe a layer, in execution order, each layer once.

    Parameters
    ----------
    backbone : Backbone
        What is to make the rows.
    layers : iterable of str
        Exact names and globs.
    pooling : str, optional
        Applies to the layers that have something to pool; where none has, it is refused.
    normalize : {"none", "l2"}
        What is done to each row.

    Raises
    ------
    UnknownNameError, UsageError
    """
    layers = list(layers)
    if len(layers) == 1 and layers[0] in ENDS:
        return [backbone.recipe(layers[0], pooling, normalize)]
    matched = match_layers(
        backbone.layers, layers, backbone=backbone.name, architecture=backbone.architecture
    )
    vectors_only = all(layer.layout == "vector" for layer in matched)
    return [
        backbone.recipe(
            layer.name,
            pooling if vectors_only or layer.layout != "vector" else None,
            normalize,
        )
        for layer in matched
    ]

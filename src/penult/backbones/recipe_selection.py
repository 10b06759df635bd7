"""From the layers, pooling and normalisation a user asks for to recipes; knows nothing of torch."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Sequence

from penult.backbones.base import ENDS, Backbone, Layer
from penult.errors import UnknownNameError
from penult.recipe import Recipe

__all__ = ["find_layer", "match_layers", "select"]


def select(
    backbone: Backbone,
    layers: Iterable[str] = ("penultimate",),
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
    layers = list(layers)
    if len(layers) == 1 and layers[0] in ENDS:
        return [backbone.recipe(layers[0], pooling, normalize)]
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


def find_layer(layers: Iterable[Layer], name: str, *, backbone: str) -> Layer:
    """The layer of that exact name."""
    by_name = {layer.name: layer for layer in layers}
    if name not in by_name:
        raise UnknownNameError(
            f"layer of {backbone}", name, by_name, hint=f"penult layers {backbone}"
        )
    return by_name[name]


def match_layers(layers: Sequence[Layer], patterns: Sequence[str], *, backbone: str) -> list[Layer]:
    """The layers that exact names and globs ask for, in execution order, each once.

    Raises
    ------
    UnknownNameError
        If a name or glob matches none; names it and what is close.
    """
    wanted: set[str] = set()
    names = {layer.name for layer in layers}
    for pattern in patterns:
        if pattern not in names and any(sign in pattern for sign in "*?["):
            matched = {x.name for x in layers if fnmatch.fnmatchcase(x.name, pattern)}
            if not matched:
                find_layer(layers, pattern, backbone=backbone)
            wanted |= matched
        else:
            wanted.add(find_layer(layers, pattern, backbone=backbone).name)
    return [layer for layer in layers if layer.name in wanted]

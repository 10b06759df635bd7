"""From the layers, pooling and normalisation a user asks for to recipes; knows nothing of torch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from penult.backbones.backbone import Backbone
from penult.backbones.layer import ENDS, match_layers
from penult.errors import UnknownNameError, UsageError
from penult.recipe import BackboneRecipe

__all__ = ["select", "select_of_each"]


def select(
    backbone: Backbone,
    layers: Iterable[str] = ("penultimate",),
    pooling: str | None = None,
    normalize: str = "none",
) -> list[BackboneRecipe]:
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


def select_of_each(
    backbones: Sequence[Backbone],
    layers: Iterable[str],
    pooling: str | None = None,
    normalize: str = "none",
) -> list[list[BackboneRecipe]]:
    """One recipe a layer of each backbone, by names that each need be a layer of one of them only.

    Parameters
    ----------
    backbones : sequence of Backbone
        What is to make the rows.
    layers : iterable of str
        Exact names and globs.
    pooling, normalize
        As for `select`.

    Returns
    -------
    list of list of BackboneRecipe
        One list a backbone, none empty.

    Raises
    ------
    UnknownNameError
        If a name is a layer of none.
    UsageError
        If a backbone has none of the layers.
    """
    layers = list(layers)
    own = [[one for one in layers if _has(backbone, one)] for backbone in backbones]
    for layer in layers:
        if not any(layer in names for names in own):
            there = dict.fromkeys(one.name for backbone in backbones for one in backbone.layers)
            raise UnknownNameError(f"layer of {len(backbones)} models", layer, tuple(there))
    for backbone, names in zip(backbones, own, strict=True):
        if not names:
            raise UsageError(
                f"{backbone.name} has none of the layers {', '.join(layers)}; name one of its own "
                "as well"
            )
    return [
        select(backbone, names, pooling, normalize)
        for backbone, names in zip(backbones, own, strict=True)
    ]


def _has(backbone: Backbone, layer: str) -> bool:
    if layer in ENDS:
        return True
    try:
        match_layers(
            backbone.layers, [layer], backbone=backbone.name, architecture=backbone.architecture
        )
    except UnknownNameError:
        return False
    return True

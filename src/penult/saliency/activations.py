"""What layers give at each place of a photo."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.backbones.layer import match_layers
from penult.errors import UsageError
from penult.interface import command, option
from penult.recipe import CENTER
from penult.records import ActivationMaps
from penult.saliency.layer_pattern import pattern_of_some
from penult.saliency.map_source import MapSource, on_grid
from penult.saliency.seen_photo import Looker
from penult.wording import count

if TYPE_CHECKING:
    from penult.backbones.backbone import Backbone
    from penult.backbones.layer import Layer
    from penult.extractor import ExtractorSpec

__all__ = ["MOST_LAYERS", "activation_maps"]

MOST_LAYERS = 8
"""Layers that fit side by side."""


def activation_maps(
    spec: ExtractorSpec, image: Any, layers: Sequence[str]
) -> tuple[ActivationMaps, ...]:
    """Look at what layers give for a photo.

    Parameters
    ----------
    spec : ExtractorSpec
        What opens the network: of one.
    image : path, bytes, Pillow image, uint8 array, binary file or ImageRecord
        The photo.
    layers : sequence of str
        Names and globs, of which layers without places are left out; without any, the layer that
        the network's row is pooled of.

    Returns
    -------
    tuple of ActivationMaps
        In execution order.

    Raises
    ------
    UnknownNameError
        If there is no such layer.
    UsageError
        If a layer has no places, or it is not known where they are; or there are too many layers.
    ImageError
        If the photo cannot be read.
    """
    (opened,) = spec.shared_backbones()
    backbone = opened.backbone
    chosen = _chosen(backbone, layers)
    recipes = [backbone.recipe(layer.name, "none") for layer in chosen]
    seen = Looker(spec, recipes)(image)
    found = []
    for layer, recipe in zip(chosen, recipes, strict=True):
        maps = np.ascontiguousarray(on_grid(seen.arrays[recipe, CENTER], layer, recipe))
        strength = np.abs(maps).mean((1, 2), dtype=np.float64)
        found.append(
            ActivationMaps(
                id=seen.id,
                network=recipe.network,
                layer=layer.name,
                maps=maps,
                order=np.argsort(-strength, kind="stable"),
                seen=seen.pixels[recipe.preprocessing][CENTER],
            )
        )
    return tuple(found)


def _chosen(backbone: Backbone, layers: Sequence[str]) -> list[Layer]:
    if not layers:
        return [MapSource.of(backbone, backbone.recipe()).layer]
    matched = match_layers(
        backbone.layers, layers, backbone=backbone.name, architecture=backbone.architecture
    )
    for layer in matched:
        if layer.name in layers:
            _require_places(layer, backbone)
    chosen = [layer for layer in matched if _has_places(layer, backbone)]
    if not chosen:
        raise UsageError(
            f"no layer called {' or '.join(layers)} has maps; {command('layers', backbone.name)} "
            "lists those that do"
        )
    if len(chosen) > MOST_LAYERS:
        there = [layer.name for layer in backbone.layers if _has_places(layer, backbone)]
        some = pattern_of_some([layer.name for layer in chosen], there, MOST_LAYERS)
        such = f", such as {option('layer', some[0])}, which takes {some[1]}" if some else ""
        raise UsageError(
            f"{count(len(chosen), 'layer')} are too many to be seen side by side; give "
            f"{option('layer')} for {MOST_LAYERS} at most{such}"
        )
    return chosen


def _require_places(layer: Layer, backbone: Backbone) -> None:
    activation = np.zeros(layer.pooled_shape("none"), np.float32)
    on_grid(activation, layer, backbone.recipe(layer.name))


def _has_places(layer: Layer, backbone: Backbone) -> bool:
    try:
        _require_places(layer, backbone)
    except UsageError:
        return False
    return True

"""``penult layers``."""

from __future__ import annotations

import dataclasses
from typing import Annotated

import typer

from penult.cli import options as o
from penult.cli.console import Table, say_json

_NUMBERS = ("output", "flattened", "row")


def run(
    model: Annotated[str, typer.Argument(help="Backbone; `penult models` lists them.")],
    pattern: Annotated[str, typer.Argument(help="A layer, or a glob such as 'layer4.*'.")] = "*",
    weights: o.Weights = None,
    architecture: o.Architecture = None,
    as_json: o.AsJson = False,
    debug: o.Debug = False,
) -> None:
    """List the layers of a backbone in execution order: what --layer takes.

    Needs no weights: none are downloaded.
    """
    from penult.backbones.layer import match_layers
    from penult.backbones.registry import open_without_download
    from penult.backbones.weights.choice import WeightsChoice

    backbone = open_without_download(model, WeightsChoice.of(weights, architecture=architecture))
    layers = match_layers(backbone.layers, [pattern], backbone=backbone.name)
    rows = [layer.pooled_shape(layer.default_pooling) for layer in layers]
    if as_json:
        say_json(
            [
                {**dataclasses.asdict(layer), "length": layer.length, "row": list(row)}
                for layer, row in zip(layers, rows, strict=True)
            ]
        )
        return
    title = f"{backbone.described}, in execution order"
    table = Table(("layer", "type", *_NUMBERS), right=_NUMBERS, title=title)
    for layer, row in zip(layers, rows, strict=True):
        table.add_row(layer.name, layer.type, _times(layer.shape), f"{layer.length:,}", _times(row))
    table.show()


def _times(shape: tuple[int, ...]) -> str:
    return " × ".join(f"{size:,}" for size in shape)

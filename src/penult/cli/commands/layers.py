"""``penult layers``."""

from __future__ import annotations

import dataclasses
from typing import Annotated

import typer

from penult.cli import options as o
from penult.cli.console import Table, say_json
from penult.progress import following
from penult.wording import times

_NUMBERS = ("output", "flattened", "row")


def run(
    model: o.ModelName,
    pattern: Annotated[str, typer.Argument(help="A layer, or a glob such as 'layer4.*'.")] = "*",
    blocks: Annotated[
        bool,
        typer.Option(
            "--blocks",
            help="Only the first layer of each block that penult finetune --unfreeze counts; "
            "needs torch.",
        ),
    ] = False,
    weights: o.Weights = None,
    architecture: o.Architecture = None,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """List the layers of a network in execution order: what --layer takes.

    Needs no weights: none are downloaded.

    Examples
    --------
    penult layers efficientnet_lite0
    penult layers timm:resnet50 'layer4.*'
    # Which blocks penult finetune --unfreeze counts, from the last one.
    penult layers efficientnet_lite0 --blocks
    """
    from penult.tasks.layers import layers

    with following(False if quiet else None):
        found = layers(model, pattern, blocks=blocks, weights=weights, architecture=architecture)
    if as_json:
        say_json([dataclasses.asdict(layer) for layer in found])
        return
    title = f"{found[0].backbone}, in execution order"
    numbers = ("--unfreeze", *_NUMBERS) if blocks else _NUMBERS
    table = Table(("layer", "type", *numbers), right=numbers, title=title)
    for one in found:
        table.add_row(
            one.name,
            one.type,
            *[f"{one.unfreeze}"] * blocks,
            *(times(one.shape), f"{one.length:,}", times(one.row)),
        )
    table.show()

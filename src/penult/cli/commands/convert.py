"""``penult convert``."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from penult.cli import options as o
from penult.cli.console import next_command, say, say_json, warn_of_random
from penult.cli.tables import converted_card
from penult.wording import listed


def run(
    model: o.ModelName,
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write, .penult.")],
    layer: o.Layers = None,
    weights: o.Weights = None,
    offline: o.Offline = False,
    architecture: o.Architecture = None,
    overwrite: o.Overwrite = False,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Write a network into one file that gives the same rows without torch.

    Machines without torch run the file by --model, and use it by --weights with what was made with
    the network itself.

    Examples
    --------
    # Where torch is installed.
    penult convert vgg16 -o vgg16.penult
    # Where it is not.
    penult extract photos -o rows.h5 --model vgg16.penult
    penult predict flowers.skops photos --weights vgg16.penult
    """
    from penult.conversion import convert

    warn_of_random(weights, model)
    card = convert(
        model,
        output,
        layer=layer or "penultimate",
        weights=weights,
        offline=offline,
        architecture=architecture,
        overwrite=overwrite,
        progress=not quiet,
    )
    if as_json:
        say_json({"output": str(output), **dataclasses.asdict(card)})
        return
    say(f"{output}: {card.backbone}, with the layers {listed(card.layers, 20)}")
    converted_card(dataclasses.asdict(card))
    next_command("extract", "IMAGES", "-o", "features.h5", "--model", output, quiet=quiet)

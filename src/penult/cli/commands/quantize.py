"""``penult quantize``."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from penult.cli import options as o
from penult.cli.console import next_command, say, say_json, warn, warn_of_random
from penult.cli.tables import int8_card
from penult.interface import option
from penult.wording import listed


def run(
    model: o.ModelName,
    calibrate: Annotated[
        list[str],
        typer.Option(
            "--calibrate",
            "-c",
            metavar="IMAGES",
            help="Images like those that the network is meant for: a folder or a file; may be "
            "given several times.",
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write, .penult.")],
    layer: o.Layers = None,
    pooling: o.Pooling = None,
    weights: o.Weights = None,
    offline: o.Offline = False,
    architecture: o.Architecture = None,
    labels: o.Labels = "parent",
    label_pattern: o.LabelPattern = None,
    path_column: o.PathColumn = None,
    label_column: o.LabelColumn = None,
    images: Annotated[
        int,
        typer.Option(min=1, help="How many images to calibrate on, at most."),
    ] = 300,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the choice of images.")] = 0,
    min_cosine: Annotated[
        float,
        typer.Option(
            help="Least mean cosine with float32 rows; to reach it, the parts of the network that "
            "do most harm stay in float32.",
        ),
    ] = 0.995,
    overwrite: o.Overwrite = False,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
    pool: o.OldPooling = None,
) -> None:
    """Write a network in 8-bit integers: faster on a CPU, for rows that differ a little.

    The checkpoint is a network like any other: give it to --model. Needs the extra int8.

    Examples
    --------
    # The result is a network like any other.
    penult quantize resnet50 --calibrate photos -o resnet50.penult
    penult extract photos -o rows.h5 --model resnet50.penult
    """
    from penult.quantization import quantize

    warn_of_random(weights, model)
    card = quantize(
        model,
        calibrate,
        output,
        layer=layer or "penultimate",
        pooling=o.one_pooling(pooling, pool),
        weights=weights,
        offline=offline,
        architecture=architecture,
        labels=labels,
        label_pattern=label_pattern,
        path_column=path_column,
        label_column=label_column,
        images=images,
        seed=seed,
        min_cosine=min_cosine,
        overwrite=overwrite,
        progress=not quiet,
    )
    if as_json:
        say_json({"output": str(output), **dataclasses.asdict(card)})
        return
    say(f"{output}: {card.backbone} in 8-bit integers")
    int8_card(dataclasses.asdict(card))
    say("cosine: how alike the rows are to those in float32; 1 is the same")
    if card.accuracy is not None:
        say("accuracy: of a classifier trained on either; what the integers cost is the difference")
    say("train and predict with one of the two: their rows are not mixed")
    low = [cosine.layer for cosine in card.cosines if cosine.mean < min_cosine]
    if low:
        warn(
            f"penult: the mean cosine of {listed(low)} is below the {min_cosine:g} asked for; give "
            f"{option('calibrate')} more photos, like those it is meant for, or be content with "
            f"less by {option('min_cosine')}"
        )
    next_command("extract", "IMAGES", "-o", "features.h5", "--model", output, quiet=quiet)

"""``penult show-input``."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from penult.cli import options as o
from penult.cli.console import say, say_json


def run(
    model: o.ModelName,
    image: Annotated[Path, typer.Argument(help="Image file.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Picture to write, .png.")],
    normalized: Annotated[
        bool,
        typer.Option("--normalized", help="Show the numbers that go in, from black to white."),
    ] = False,
    architecture: o.Architecture = None,
    overwrite: o.Overwrite = False,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Write what a network sees of an image after its preprocessing, as a picture.

    Needs no weights: none are downloaded.

    Examples
    --------
    penult show-input efficientnet_lite0 photo.jpg -o seen.png
    """
    from penult.tasks.show_input import show_input

    shown = show_input(
        model,
        image,
        output,
        normalized=normalized,
        architecture=architecture,
        overwrite=overwrite,
    )
    if as_json:
        say_json({**dataclasses.asdict(shown), "output": str(output)})
        return
    size = f"{shown.width} × {shown.height} pixels"
    say(f"{output}: {size}, what {shown.backbone} sees of {image}:")
    for step in () if quiet else shown.steps:
        say(f"  {step}")

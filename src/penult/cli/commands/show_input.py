"""``penult show-input``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from penult.cli import options as o
from penult.cli.console import say
from penult.errors import UsageError


def run(
    model: Annotated[str, typer.Argument(help="Backbone; `penult models` lists them.")],
    image: Annotated[Path, typer.Argument(help="Image file.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Picture to write, a .png file.")],
    normalized: Annotated[
        bool,
        typer.Option("--normalized", help="Show the numbers that go in, from black to white."),
    ] = False,
    architecture: o.Architecture = None,
    overwrite: o.Overwrite = False,
    debug: o.Debug = False,
) -> None:
    """Write what a network sees of an image after its preprocessing, as a picture.

    Needs no weights: none are downloaded.
    """
    from penult.backbones.registry import open_without_download
    from penult.backbones.weights.choice import WeightsChoice
    from penult.output import atomic_output, check_output
    from penult.preview import in_words, network_input
    from penult.written import note_written

    if output.suffix.lower() != ".png":
        raise UsageError(f"{output} is no .png file; other formats would change the pixels")
    check_output(output, overwrite=overwrite)
    backbone = open_without_download(model, WeightsChoice(architecture=architecture))
    picture = network_input(image, backbone.preprocessing, normalized=normalized)
    with atomic_output(output, overwrite=overwrite) as temporary:
        picture.save(temporary, format="PNG")
    note_written(output.parent, output)
    width, height = picture.size
    say(f"{output}: {width} × {height} pixels, what {backbone.described} sees of {image}:")
    for line in in_words(backbone.preprocessing):
        say(f"  {line}")

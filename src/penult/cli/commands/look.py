"""``penult look``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from penult.cli import completion
from penult.cli import options as o
from penult.cli.console import next_command, say, say_json, say_path, warn_of_random
from penult.progress import following


def run(
    images: Annotated[
        list[Path], typer.Argument(metavar="PHOTO...", help="An image file; two with --similar.")
    ],
    output: Annotated[
        list[Path] | None,
        typer.Option(
            "--output",
            "-o",
            help="What to write, by suffix: a picture (.png, .svg), or the numbers (.npz); may be "
            "given several times.",
            show_default=False,
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            metavar="NAME",
            help="Network to look at; `penult models` lists them.",
            show_default="efficientnet_lite0, or the classifier's",
            autocompletion=completion.models,
        ),
    ] = None,
    layer: Annotated[
        list[str] | None,
        typer.Option(
            "--layer",
            "-l",
            metavar="LAYER",
            help="Layer whose places to look at, or a glob such as 'blocks.?'; of activations, may "
            "be given several times. With --classifier, one, by Grad-CAM. `penult layers MODEL` "
            "lists them.",
            show_default="the one that is pooled",
            autocompletion=completion.layers,
        ),
    ] = None,
    classifier: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Show where the evidence of this linear classifier (.skops or .ckpt) lies.",
            show_default=False,
        ),
    ] = None,
    label: Annotated[
        list[str] | None,
        typer.Option(
            "--class",
            "--label",
            metavar="NAME",
            help="With --classifier: of which class; may be given several times.",
            show_default="the predicted one",
        ),
    ] = None,
    similar: Annotated[
        bool, typer.Option("--similar", help="Show which regions make two photos alike.")
    ] = False,
    channels: Annotated[
        int | None,
        typer.Option(
            help="How many channels of a layer to draw, strongest first.", show_default="16"
        ),
    ] = None,
    weights: o.MovedWeights = None,
    offline: o.Offline = False,
    architecture: o.Architecture = None,
    engine: o.Engine = "auto",
    device: o.Device = "auto",
    overwrite: o.Overwrite = False,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Show what a network goes by in a photo, place by place.

    Activation maps of layers; or where the evidence of a classifier for a class lies; or which
    regions make two photos alike. A map shows where, not why: docs/look.md says how to read one.

    Examples
    --------
    # What the last maps of a network look like.
    penult look photo.jpg -o maps.png
    penult look photo.jpg -l blocks.1 -l blocks.4 -o maps.png
    # Which places speak for roses, and which against them.
    penult look photo.jpg --classifier flowers.skops --class rose -o rose.png
    # Why two photos are neighbours.
    penult look photo.jpg other.jpg --similar -o alike.png
    """
    from penult.tasks.photo_look import look

    if weights and classifier is None:
        warn_of_random(weights[0], model or "efficientnet_lite0")
    with following(False if quiet else None):
        found = look(
            images,
            output,
            model=model,
            layer=layer or None,
            classifier=classifier,
            label=label or None,
            similar=similar,
            channels=channels,
            weights=weights[0] if weights and len(weights) == 1 else weights or None,
            offline=offline,
            architecture=architecture,
            engine=engine,
            device=device,
            overwrite=overwrite,
        )
    if as_json:
        say_json({"outputs": [str(one) for one in output or []], **found.to_dict()})
        return
    for line in found.lines:
        say(line)
    for path in output or []:
        say_path(path)
    if not output:
        given = [] if classifier is None else ["--classifier", classifier]
        given += [word for one in label or [] for word in ("--class", one)]
        given += [word for one in layer or [] for word in ("--layer", one)]
        given += ["--similar"] * similar + ([] if model is None else ["--model", model])
        given += [] if channels is None else ["--channels", str(channels)]
        given += [word for one in weights or [] for word in ("--weights", one)]
        given += [] if architecture is None else ["--architecture", architecture]
        given += [] if engine == "auto" else ["--engine", engine]
        given += [] if device == "auto" else ["--device", device]
        given += ["--offline"] * offline
        next_command("look", *images, *given, "-o", "maps.png", quiet=quiet)

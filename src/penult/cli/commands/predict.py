"""``penult predict``."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from penult.cli import options as o
from penult.cli.console import next_command, note, say, say_json, say_listing_messages
from penult.cli.predictions import Tally, to_stdout
from penult.errors import UsageError
from penult.interface import as_argument, command
from penult.wording import count

_NAMED = 3  # images, in a command to type; more are a word


def run(
    classifier: o.Classifier,
    images: o.Images,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Write the predictions to this .csv or .jsonl file, and print how many images "
            "there are of each class.",
            show_default=False,
        ),
    ] = None,
    top: Annotated[
        int,
        typer.Option(min=1, help="How many classes to list for each image, best first."),
    ] = 1,
    threshold: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="Mark predictions as unsure that are less probable than this, e.g. 0.9.",
        ),
    ] = None,
    unlike: Annotated[
        str,
        typer.Option(
            metavar="LEVEL",
            help="Mark photos as unlike all training photos that are less similar than this, e.g. "
            "0.4; off marks none.",
        ),
    ] = "auto",
    copy_to: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Copy the photos into this folder, into one folder a class; no file is replaced.",
            show_default=False,
        ),
    ] = None,
    copy_mode: Annotated[
        Literal["copy", "hardlink", "symlink", "move"],
        typer.Option(
            help="With --copy-to: copy the photos, link to them, or move them; 'penult move-back "
            "FOLDER' undoes a move."
        ),
    ] = "copy",
    weights: o.MovedWeights = None,
    offline: o.Offline = False,
    engine: o.Engine = "auto",
    device: o.Device = "auto",
    batch_size: o.BatchSize = None,
    workers: o.Workers = None,
    on_error: o.OnError = "skip",
    overwrite: o.Overwrite = False,
    as_csv: Annotated[bool, o.output_option("--csv", help="Print the predictions as CSV.")] = False,
    escape_formulas: o.EscapeFormulas = False,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Say which class each image belongs to, and how probable that is.

    The classifier file knows how its rows were made, so no model is named here. Images that are
    unlike anything it was trained on are marked: no class may be right.

    Examples
    --------
    # A line for each photo.
    penult predict flowers.skops photos
    # The three most probable classes of each, into a table.
    penult predict flowers.skops photos --top 3 -o predictions.csv
    # Sort the photos into folders; unsure and unlike ones get folders of their own.
    penult predict flowers.skops photos --copy-to sorted --threshold 0.9
    """
    if as_csv and (as_json or output is not None):
        other = "--json" if as_json else "--output"
        raise UsageError(f"--csv prints the predictions as CSV; {other} excludes it: leave one out")
    from penult.classify.loading import load_classifier, refuse_swapped
    from penult.classify.prediction.predict import predict_images
    from penult.classify.prediction.table import to_file

    refuse_swapped(classifier, images)
    model = load_classifier(classifier)
    tally, notes = Tally(), dict[str, Any]()
    columns = {
        "top": top,
        "several": model.thresholds is not None,
        "copies": copy_to is not None,
        "escape_formulas": escape_formulas,
    }
    style = "csv" if as_csv else "json" if as_json else "lines"
    judges = model.likeness is not None and unlike != "off"
    judges = model.likeness is not None and unlike != "off"
    marks = ["unsure"] * (threshold is not None) + ["unlike"] * judges
    written = (
        nullcontext(to_stdout(style, classes=model.label_names, marks=marks, **columns))
        if output is None
        else to_file(output, overwrite=overwrite, inputs=map(Path, images), **columns)
    )
    with written as write:
        for outcome in predict_images(
            model,
            images,
            top=top,
            threshold=threshold,
            unlike=o.level_of(unlike),
            copy_to=copy_to,
            copy_mode=copy_mode,
            weights=weights,
            offline=offline,
            engine=engine,
            device=device,
            batch_size=batch_size,
            workers=workers,
            on_error=on_error,
            progress=not quiet,
            on_listing=notes.update,
        ):
            tally.add(outcome)
            write(outcome)
    if output is not None and as_json:
        say_json({"output": str(output), **tally.to_dict(), **notes})
    elif output is not None:
        tally.show_classes()
        layer = f", from layer {model.layer}" if model.settings.file_layers else ""
        say(f"{output}: {count(tally.good, 'prediction')}{layer}")
    tally.warn_of_unlike()
    if copy_to is not None:
        tally.warn_of_copies(copy_to)
        if copy_mode == "move" and tally.copied:
            moved = "it was moved" if tally.copied == 1 else "they were moved"
            again = "it" if tally.copied == 1 else "them"
            note(f"{moved} there; '{command('move_back', str(copy_to))}' moves {again} back")
    say_listing_messages(notes, to=note)
    # Among lines to read, each was named in its place.
    tally.warn_of_failures(named=output is None and style == "lines")
    if not tally.good:
        raise typer.Exit(1)
    # Not where a program reads the predictions.
    shown = style == "lines" and (output is not None or sys.stdout.isatty())
    if shown and copy_to is None:
        given = map(as_argument, images if len(images) <= _NAMED else ["IMAGES"])
        next_command("predict", classifier, *given, "--copy-to", "sorted", quiet=quiet)

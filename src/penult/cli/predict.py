"""``penult predict``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from penult.cli import options as o
from penult.cli.console import progress, say, say_json, warn


def run(
    classifier: Annotated[Path, typer.Argument(help="Classifier file (.skops).")],
    images: o.Images,
    top: Annotated[int, typer.Option(help="How many classes to list for each image.", min=1)] = 1,
    engine: o.Engine = "auto",
    device: o.Device = "auto",
    batch_size: o.BatchSize = None,
    workers: o.Workers = None,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Say which class each image belongs to, and how probable that is.

    The classifier file knows how its rows were made, so no model is named here.
    """
    from penult.classify.model import load_classifier
    from penult.classify.predict import predict_images
    from penult.records import Failure

    model = load_classifier(classifier)
    failed = good = 0
    with progress("predict", quiet=quiet) as on_progress:
        for outcome in predict_images(
            model,
            images,
            top=top,
            engine=engine,
            device=device,
            batch_size=batch_size,
            workers=workers,
            on_progress=on_progress,
        ):
            if isinstance(outcome, Failure):
                failed += 1
                if as_json:
                    say_json({"id": outcome.id, "error": outcome.reason})
                else:
                    warn(f"{outcome.id}: {outcome.reason}")
                continue
            good += 1
            if as_json:
                say_json(
                    {
                        "id": outcome.id,
                        "label": outcome.label,
                        "probability": outcome.probability,
                        "top": [list(pair) for pair in outcome.top],
                    }
                )
            else:
                said = "  ".join(f"{label} {p:.1%}" for label, p in outcome.top)
                say(f"{outcome.id}  {said}")
    if failed:
        warn(f"{failed:,} of {failed + good:,} images could not be read")
    if not good:
        raise typer.Exit(1)

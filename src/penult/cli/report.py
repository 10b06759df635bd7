"""``penult report``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from penult.cli import options as o
from penult.cli.console import (
    progress,
    say,
    say_failures,
    say_json,
    say_passed_over,
    warn_of_random,
)
from penult.cli.stop import stoppable
from penult.cli.tables import class_table, scores_line


def run(
    images: o.Images,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write.")],
    model: o.Model = "efficientnet_lite0",
    weights: o.Weights = None,
    offline: o.Offline = False,
    architecture: o.Architecture = None,
    labels: o.Labels = "parent",
    label_pattern: o.LabelPattern = None,
    engine: o.Engine = "auto",
    device: o.Device = "auto",
    seed: Annotated[int, typer.Option(help="Of the split and the folds.")] = 0,
    overwrite: o.Overwrite = False,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Extract, train, and write one self-contained HTML page about it, all in one go."""
    from penult.report.make import make_report

    warn_of_random(weights)
    with (
        progress("extract", quiet=quiet) as show,
        stoppable(show, output / "features.h5") as on_extract,
        progress("train", unit="fits", quiet=quiet) as on_train,
    ):
        made = make_report(
            images,
            output,
            model=model,
            weights=weights,
            offline=offline,
            architecture=architecture,
            labels=labels,
            label_pattern=label_pattern,
            engine=engine,
            device=device,
            seed=seed,
            overwrite=overwrite,
            on_extract=on_extract,
            on_train=on_train,
        )
    features, scores = made.features, made.classifier.scores
    if as_json:
        say_json(
            {
                "page": str(made.page),
                "rows": len(features),
                "failures": len(features.failures),
                "accuracy": scores.accuracy,
            }
        )
        return
    say_failures(features.failures, total=len(features) + len(features.failures))
    say_passed_over(features.origin["passed_over"])
    class_table(scores)
    say(scores_line(scores))
    say(str(made.page))

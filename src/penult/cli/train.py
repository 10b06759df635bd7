"""``penult train``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from penult.cli import options as o
from penult.cli.console import progress, say, say_json
from penult.cli.tables import class_table, grid_line, scores_line


def run(
    features: Annotated[Path, typer.Argument(help="Feature file with labels.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Classifier file to write.")],
    test_size: Annotated[
        float, typer.Option(help="Part held out, where the file has no splits of its own.")
    ] = 0.25,
    seed: Annotated[int, typer.Option(help="Of the split and the folds.")] = 0,
    folds: Annotated[int, typer.Option(help="Cross-validation folds.")] = 3,
    overwrite: o.Overwrite = False,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Train a classifier on a feature file and score it on a part held out.

    C is chosen by cross-validation inside the training part.
    """
    from penult.classify.probe import train
    from penult.classify.scores import scores_to_dict
    from penult.features.read import load
    from penult.output import check_output

    check_output(output, overwrite=overwrite)
    with progress("train", unit="fits", quiet=quiet) as on_progress:
        classifier = train(
            load(features),
            test_size=test_size,
            seed=seed,
            folds=folds,
            on_progress=on_progress,
        )
    classifier.save(output, overwrite=overwrite)
    if as_json:
        say_json(
            {
                "output": str(output),
                "scores": scores_to_dict(classifier.scores),
                "settings": dict(classifier.settings),
            }
        )
        return
    class_table(classifier.scores)
    say(scores_line(classifier.scores))
    say(grid_line(classifier.settings))
    say(f"{output}: {len(classifier.label_names):,} classes, {classifier.recipe.backbone}")

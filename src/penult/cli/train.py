"""``penult train``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from penult.cli import options as o
from penult.cli.console import progress, say, say_json
from penult.cli.tables import (
    class_table,
    grid_line,
    runs_line,
    scores_line,
    scores_table,
    trials_table,
)
from penult.errors import UsageError


def run(
    features: Annotated[Path, typer.Argument(help="Feature file with labels.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Classifier file to write.")],
    classifier: Annotated[
        list[str] | None,
        typer.Option(
            help="logistic, svm, ridge, knn, forest or centroid; given several times, the best by "
            "cross-validation is taken. [logistic]",
            show_default=False,
        ),
    ] = None,
    grid: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=V1,V2,…",
            help="Values to try, e.g. C=0.1,1,10; may be given several times. [each "
            "classifier's own]",
            show_default=False,
        ),
    ] = None,
    scale: Annotated[
        Literal["l2", "standard", "none"],
        typer.Option(help="l2: rows of length 1; standard: columns of variance 1."),
    ] = "l2",
    test_size: Annotated[
        float, typer.Option(help="Part held out, where the file has no splits of its own.")
    ] = 0.25,
    test_features: Annotated[
        Path | None,
        typer.Option(
            help="Another feature file to score on; then nothing is held out.", show_default=False
        ),
    ] = None,
    min_per_class: Annotated[
        int, typer.Option(help="Leave out classes with fewer images.", min=0)
    ] = 0,
    seed: Annotated[int, typer.Option(help="Of the split and the folds.")] = 0,
    folds: Annotated[int, typer.Option(help="Cross-validation folds.")] = 3,
    runs: Annotated[
        int, typer.Option(help="Repeat with seeds one apart, for mean and spread.", min=1)
    ] = 1,
    overwrite: o.Overwrite = False,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Train a classifier on a feature file and score it on a part held out.

    Its parameters are chosen by cross-validation inside the training part.
    """
    from penult.classify.probe import train
    from penult.classify.scores import scores_to_dict
    from penult.output import check_output

    check_output(output, overwrite=overwrite)
    with progress("train", unit="fits", quiet=quiet) as on_progress:
        trained = train(
            features,
            classifier=classifier or "logistic",
            grid=_grid(grid or []),
            scale=scale,
            test_size=test_size,
            test_features=test_features,
            min_per_class=min_per_class,
            seed=seed,
            folds=folds,
            runs=runs,
            on_progress=on_progress,
        )
    trained.save(output, overwrite=overwrite)
    if as_json:
        say_json(
            {
                "output": str(output),
                "scores": scores_to_dict(trained.scores),
                "settings": dict(trained.settings),
            }
        )
        return
    class_table(trained.scores)
    scores_table(trained.scores)
    trials_table(trained.settings)
    say(scores_line(trained.scores))
    if line := runs_line(trained.settings):
        say(line)
    say(grid_line(trained.settings))
    for reason, count in trained.settings["left_out"].items():
        say(f"left out: {count:,} {reason}")
    say(f"{output}: {len(trained.label_names):,} classes, {trained.recipe.backbone}")


def _grid(given: list[str]) -> dict[str, list[Any]] | None:
    """Turn ``["C=0.1,1"]`` into ``{"C": [0.1, 1.0]}``."""
    grid: dict[str, list[Any]] = {}
    for text in given:
        name, equals, values = text.partition("=")
        if not (name and equals and values):
            raise UsageError(f"--grid {text!r} is not NAME=V1,V2,…; for example --grid C=0.1,1,10")
        grid[name.strip()] = [_number(value.strip()) for value in values.split(",")]
    return grid or None


def _number(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text

"""``penult train``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from penult.classify.kinds.registry import kind_names
from penult.cli import options as o
from penult.cli.console import files_in, say, say_json
from penult.cli.progress import progress
from penult.cli.tables import (
    class_table,
    edge_lines,
    grid_line,
    layer_line,
    layers_table,
    runs_line,
    say_accuracy,
    scores_table,
    trials_table,
)
from penult.errors import UsageError

_KINDS = " or ".join(", ".join(kind_names()).rsplit(", ", 1))


def run(
    features: Annotated[Path, typer.Argument(help="Feature file with labels.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Classifier file to write.")],
    layer: Annotated[
        list[str] | None,
        typer.Option(
            "--layer",
            "-l",
            help="Which of the file's layers, or a glob, or all; of several, the best by "
            "cross-validation is kept. [the last]",
            show_default=False,
        ),
    ] = None,
    classifier: Annotated[
        list[str] | None,
        typer.Option(
            help=f"{_KINDS}; given several times, the best by cross-validation is taken. "
            "[logistic]",
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
    ignore_splits: Annotated[
        bool, typer.Option("--ignore-splits", help="Hold out a random part even so.")
    ] = False,
    min_per_class: Annotated[
        int, typer.Option(help="Leave out classes with fewer images.", min=0)
    ] = 0,
    near_duplicates: Annotated[
        float | None,
        typer.Option(
            metavar="COSINE",
            help="Keep images in one part whose rows have at least this cosine, e.g. 0.95. "
            "[identical images only]",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the split and the folds.")] = 0,
    folds: Annotated[int, typer.Option(help="Cross-validation folds.")] = 3,
    runs: Annotated[
        int, typer.Option(help="Repeat with seeds one apart, for mean and spread.", min=1)
    ] = 1,
    refit: Annotated[
        bool,
        typer.Option(
            "--refit",
            help="Once scored, fit it again on all labelled rows; the scores stay those of before.",
        ),
    ] = False,
    max_memory: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE",
            help="What the rows may take of it, e.g. 4GB. [half of what is free]",
            show_default=False,
        ),
    ] = None,
    results: o.Results = None,
    confusion: o.Confusion = "counts",
    overwrite: o.Overwrite = False,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Train a classifier on a feature file and score it on a part held out.

    Its parameters are chosen by cross-validation inside the training part.
    """
    from penult.classify.metrics.scores import scores_to_dict
    from penult.tasks.train import train

    with progress("train", unit="fits", quiet=quiet) as on_progress:
        trained = train(
            features,
            output,
            layer=layer,
            classifier=classifier or "logistic",
            grid=_grid(grid or []),
            scale=scale,
            test_size=test_size,
            test_features=test_features,
            ignore_splits=ignore_splits,
            min_per_class=min_per_class,
            near_duplicates=near_duplicates,
            seed=seed,
            folds=folds,
            runs=runs,
            refit=refit,
            max_memory=max_memory,
            results=results,
            confusion="normalized" if confusion == "normalized" else "counts",
            overwrite=overwrite,
            on_progress=on_progress,
        )
    written = files_in(results)
    if as_json:
        say_json(
            {
                "output": str(output),
                "layer": trained.recipe.layer,
                "scores": scores_to_dict(trained.scores),
                "settings": trained.settings.to_dict(),
                "results": [str(path) for path in written],
            }
        )
        return
    class_table(trained.scores)
    scores_table(trained.scores)
    trials_table(trained.settings)
    layers_table(trained.settings.layers, trained.recipe.layer)
    say_accuracy(trained.scores)
    if line := runs_line(trained.settings):
        say(line)
    if line := layer_line(trained.settings, trained.recipe.layer):
        say(line)
    say(grid_line(trained.settings))
    for line in edge_lines(trained.settings):
        say(line)
    if copies := trained.settings.copies:
        alike = "identical to" if near_duplicates is None else "a near-duplicate of"
        say(f"{alike} another image, and kept in the same part: {copies:,}")
    for reason, count in trained.settings.left_out.items():
        say(f"left out: {count:,} {reason}")
    say(f"{output}: {len(trained.label_names):,} classes, {trained.recipe.network}")
    for path in written:
        say(str(path))


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

"""``penult train``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from penult.classify.kinds.registry import kind_names
from penult.cli import completion
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
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="Classifier file to write, .skops."),
    ],
    layer: Annotated[
        list[str] | None,
        typer.Option(
            "--layer",
            "-l",
            metavar="LAYER",
            help="Which of the file's layers, or a glob, or all; of several, the best by "
            "cross-validation is kept.",
            show_default="the last",
        ),
    ] = None,
    classifier: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KIND",
            autocompletion=completion.kinds,
            help=f"Kind of classifier: {_KINDS}. Given several times, the best by "
            "cross-validation is kept.",
            show_default="logistic",
        ),
    ] = None,
    grid: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=V1,V2,…",
            help="Values of a parameter to try, e.g. C=0.1,1,10; may be given several times.",
            show_default="each kind's own",
        ),
    ] = None,
    scale: Annotated[
        Literal["l2", "standard", "none"],
        typer.Option(
            help="Before training, scale each row to length 1 (l2), or each column to variance 1 "
            "(standard)."
        ),
    ] = "l2",
    test_size: Annotated[
        float,
        o.scoring_option(
            help="Part of the images that is held out for scoring, if the file has no splits of "
            "its own.",
        ),
    ] = 0.25,
    test_features: Annotated[
        Path | None,
        o.scoring_option(
            help="Another feature file to score on; then nothing is held out.",
            show_default=False,
        ),
    ] = None,
    ignore_splits: Annotated[
        bool,
        o.scoring_option(
            "--ignore-splits", help="Hold out a random part even if the file has splits."
        ),
    ] = False,
    min_per_class: Annotated[
        int,
        o.scoring_option(min=0, help="Leave out classes that have fewer images."),
    ] = 0,
    near_duplicates: Annotated[
        float | None,
        o.scoring_option(
            metavar="COSINE",
            help="Keep images whose rows have at least this cosine, e.g. 0.95, together in one "
            "part, so that no copy of a training image is scored.",
            show_default="identical images only",
        ),
    ] = None,
    seed: o.Seed = 0,
    folds: Annotated[int, o.scoring_option(help="Number of cross-validation folds.")] = 3,
    runs: Annotated[
        int,
        o.scoring_option(
            min=1,
            help="Repeat this often, with seeds one apart, for mean and spread.",
        ),
    ] = 1,
    refit: Annotated[
        bool,
        o.scoring_option(
            "--refit",
            help="Once scored, fit it again on all labelled rows; the scores stay those of before.",
        ),
    ] = False,
    max_memory: Annotated[
        str | None,
        o.speed_option(
            metavar="SIZE",
            help="Memory that the rows may take, e.g. 4GB.",
            show_default="half of what is free",
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

    Examples
    --------
    # Logistic regression, scored on a quarter of the images.
    penult train rows.h5 -o flowers.skops
    # The best of several kinds, then fitted again on all images.
    penult train rows.h5 -o flowers.skops --classifier svm --classifier knn --refit
    # Scores and a confusion matrix as files.
    penult train rows.h5 -o flowers.skops --results scores
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

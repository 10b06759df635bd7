"""``penult train``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from penult.classify.outcome import runs_line
from penult.cli import options as o
from penult.cli import training as t
from penult.cli.console import (
    files_in,
    next_command,
    say,
    say_json,
    say_path,
    settings_json,
)
from penult.cli.tables import (
    class_table,
    copies_line,
    grid_line,
    layer_line,
    layers_table,
    marked_line,
    reduction_line,
    say_accuracy,
    say_left_out,
    scores_table,
    strays_line,
    trials_table,
)
from penult.wording import count


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
    classifier: t.Kinds = None,
    grid: t.Grid = None,
    scale: t.Scale = "l2",
    reduce: t.Reduce = None,
    class_weight: t.ClassWeight = None,
    test_size: t.TestSize = 0.25,
    test_features: Annotated[
        Path | None,
        o.scoring_option(
            help="Another feature file to score on; then nothing is held out.",
            show_default=False,
        ),
    ] = None,
    ignore_splits: t.IgnoreSplits = False,
    min_per_class: t.MinPerClass = 0,
    near_duplicates: t.NearDuplicates = None,
    seed: o.Seed = 0,
    folds: t.Folds = 3,
    runs: t.Runs = 1,
    refit: t.Refit = False,
    max_memory: t.MaxMemory = None,
    results: o.Results = None,
    confusion: o.Confusion = "counts",
    escape_formulas: o.EscapeFormulas = False,
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
    penult train rows.h5 -o best.skops --classifier svm --classifier knn --refit
    # Scores and a confusion matrix as files.
    penult train rows.h5 -o flowers.skops --results scores
    """
    from penult.classify.edges import edge_lines
    from penult.classify.metrics.scores import scores_to_dict
    from penult.tasks.train import ResultsNotWrittenError, train

    unwritten: ResultsNotWrittenError | None = None
    try:
        trained = train(
            features,
            output,
            layer=layer,
            classifier=classifier or "logistic",
            grid=t.parse_grid(grid),
            scale=scale,
            reduce=reduce,
            class_weight=class_weight,
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
            escape_formulas=escape_formulas,
            overwrite=overwrite,
            progress=not quiet,
        )
    except ResultsNotWrittenError as error:  # what training found out is said all the same
        if error.classifier is None:
            raise
        unwritten, trained = error, error.classifier
    written = [] if unwritten else files_in(results)
    if as_json:
        say_json(
            {
                "output": str(output),
                "layer": trained.layer,
                "scores": scores_to_dict(trained.scores),
                "settings": settings_json(trained.settings),
                "likeness": trained.likeness and trained.likeness.to_dict(),
                "results": [str(path) for path in written],
            }
        )
        if unwritten:
            raise unwritten
        return
    class_table(trained.scores)
    scores_table(trained.scores)
    trials_table(trained.settings)
    layers_table(trained.settings, trained.layer)
    say_accuracy(trained.scores, seen=bool(trained.settings.trained_network))
    if line := trained.settings.network_line:
        say(line)
    if line := runs_line(trained.settings):
        say(line)
    if line := layer_line(trained.settings, trained.layer):
        say(line)
    say(grid_line(trained.settings))
    if line := reduction_line(trained.settings):
        say(line)
    for line in edge_lines(trained.settings):
        say(line)
    if line := copies_line(trained.settings):
        say(line)
    if line := marked_line(trained.likeness, trained.scores.images):
        say(f"none of these: {line}")
    if line := strays_line(trained.likeness):
        say(line)
    say_left_out(trained.settings.left_out)
    say(f"{output}: {count(len(trained.label_names), 'class')}, {trained.recipe.network}")
    for path in written:
        say_path(path)
    if unwritten:
        raise unwritten
    next_command("predict", output, "PHOTO_OR_FOLDER", quiet=quiet)

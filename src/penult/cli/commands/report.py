"""``penult report``."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from penult.classify.outcome import runs_line
from penult.cli import options as o
from penult.cli import training as t
from penult.cli.console import (
    failures_json,
    next_step,
    say,
    say_failures,
    say_json,
    say_listing_messages,
    say_path,
    warn_of_random,
)
from penult.cli.stop import stoppable
from penult.cli.tables import (
    class_table,
    copies_line,
    grid_line,
    layer_line,
    layers_table,
    say_accuracy,
    say_left_out,
    trials_table,
)
from penult.progress import shown
from penult.wording import count, listed

if TYPE_CHECKING:
    from penult.classify.diagnosis.label_errors import LabelIssue

_NAMED = 3

# Sections whose findings are printed; of the others, something is said in other words.
_SAID = ("mistakes", "curve")


def run(
    images: Annotated[
        list[str],
        typer.Argument(
            metavar="IMAGES...|FEATURES",
            help="As for penult extract; or a feature file, whose rows are taken as they are.",
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Folder to write.")
    ],
    model: o.Models = None,
    layer: Annotated[
        list[str] | None,
        typer.Option(
            "--layer",
            "-l",
            metavar="LAYER",
            help="Layer or glob; of several, the page shows all and the best is kept.",
            show_default="penultimate; of a feature file, all",
        ),
    ] = None,
    views: o.Views = None,
    join: o.Join = None,
    weights: o.Weights = None,
    offline: o.Offline = False,
    architecture: o.Architecture = None,
    labels: o.Labels = "parent",
    label_pattern: o.LabelPattern = None,
    path_column: o.PathColumn = None,
    label_column: o.LabelColumn = None,
    splits: o.Splits = "auto",
    engine: o.Engine = "auto",
    device: o.Device = "auto",
    classifier: t.Kinds = None,
    grid: t.Grid = None,
    scale: t.Scale = "l2",
    reduce: t.Reduce = None,
    class_weight: t.ClassWeight = None,
    test_size: t.TestSize = 0.25,
    ignore_splits: t.IgnoreSplits = False,
    min_per_class: t.MinPerClass = 0,
    near_duplicates: t.NearDuplicates = None,
    seed: o.Seed = 0,
    folds: t.Folds = 3,
    runs: t.Runs = 1,
    refit: t.Refit = False,
    max_memory: t.MaxMemory = None,
    label_errors: Annotated[
        bool,
        o.output_option(
            "--label-errors/--no-label-errors", help="Look for labels that are likely wrong."
        ),
    ] = True,
    curve: Annotated[
        bool, o.output_option("--curve/--no-curve", help="Draw a learning curve.")
    ] = True,
    retrieval: Annotated[
        bool,
        o.output_option("--retrieval/--no-retrieval", help="Score a search among the images."),
    ] = True,
    duplicates: Annotated[
        bool,
        o.output_option(
            "--duplicates/--no-duplicates",
            help="Look for duplicates, and for those that leak into the held-out part.",
        ),
    ] = True,
    confusion: o.Confusion = "counts",
    escape_formulas: o.EscapeFormulas = False,
    open: Annotated[
        bool, o.output_option("--open", help="Show the page in the browser, once it is written.")
    ] = False,
    overwrite: o.Overwrite = False,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Extract, train, and write one self-contained HTML page about it, all in one go.

    Examples
    --------
    # The page is report/index.html.
    penult report photos -o report
    # Photos and their mirror images averaged; with -m given twice, networks joined.
    penult report photos -o report --views flip
    # From rows that were extracted before.
    penult report rows.h5 -o report
    # Five times with other images held out, and then into the browser.
    penult report photos -o report --runs 5 --open
    """
    from penult.classify.edges import edge_lines
    from penult.images.notes import listing_notes
    from penult.reporting.commands import FEATURES
    from penult.reporting.make import report
    from penult.reporting.page import LABEL_ERRORS
    from penult.reporting.staging import staging_folder

    models = model or ["efficientnet_lite0"]
    warn_of_random(weights, *models)
    with (
        shown(not quiet) as tell,
        stoppable(tell, staging_folder(output) / FEATURES, staged=True) as progress,
    ):
        made = report(
            images,
            output,
            model=models,
            layer=layer,
            views=views,
            join=join,
            weights=weights,
            offline=offline,
            architecture=architecture,
            labels=labels,
            label_pattern=label_pattern,
            path_column=path_column,
            label_column=label_column,
            splits=splits,
            engine=engine,
            device=device,
            classifier=classifier or "logistic",
            grid=t.parse_grid(grid),
            scale=scale,
            reduce=reduce,
            class_weight=class_weight,
            test_size=test_size,
            ignore_splits=ignore_splits,
            min_per_class=min_per_class,
            near_duplicates=near_duplicates,
            seed=seed,
            folds=folds,
            runs=runs,
            refit=refit,
            max_memory=max_memory,
            label_errors=label_errors,
            curve=curve,
            retrieval=retrieval,
            duplicates=duplicates,
            confusion="normalized" if confusion == "normalized" else "counts",
            escape_formulas=escape_formulas,
            open=open,
            overwrite=overwrite,
            progress=progress,
        )
    features, scores = made.features, made.classifier.scores
    if as_json:
        say_json(
            {
                "page": str(made.page),
                "rows": len(features),
                "failures": failures_json(features.failures),
                "accuracy": scores.accuracy,
                "label_errors": None
                if made.label_issues is None
                else [dataclasses.asdict(issue) for issue in made.label_issues],
                **listing_notes(features.origin),
                "findings": [dataclasses.asdict(one) for one in made.findings],
                "layer": made.classifier.layer,
                "runs": made.classifier.settings.to_dict().get("runs"),
            }
        )
        return
    say_failures(features.failures, total=len(features) + len(features.failures))
    say_listing_messages(features.origin)
    class_table(scores)
    trials_table(made.classifier.settings)
    layers_table(made.classifier.settings, made.classifier.layer)
    say_accuracy(scores)
    if line := runs_line(made.classifier.settings):
        say(line)
    if line := layer_line(made.classifier.settings, made.classifier.layer):
        say(line)
    say(grid_line(made.classifier.settings))
    if line := copies_line(made.classifier.settings):
        say(line)
    for line in edge_lines(made.classifier.settings):
        say(line)
    say_left_out(made.classifier.settings)
    for finding in made.findings:
        if finding.section in _SAID:
            say(finding.text)
    if made.label_issues:
        say(_label_errors_line(made.label_issues, made.page.with_name(LABEL_ERRORS)))
    say_path(made.page)
    if not open:
        next_step(f"open {made.page.resolve().as_uri()} in a browser", quiet=quiet)


def _label_errors_line(issues: Sequence[LabelIssue], file: Path) -> str:
    shown = listed((f"{one.id} ({one.label}, perhaps {one.suggested})" for one in issues), _NAMED)
    return f"{count(len(issues), 'label')} may be wrong: {shown}; see the page, or {file}"

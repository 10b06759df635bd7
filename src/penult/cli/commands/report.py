"""``penult report``."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from penult.classify.outcome import runs_line
from penult.cli import options as o
from penult.cli import training as t
from penult.cli.console import (
    Table,
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
    from penult.classify.classifier import Classifier
    from penult.classify.diagnosis.label_errors import LabelIssue
    from penult.classify.evaluation.result import Evaluation
    from penult.records import Scores
    from penult.reporting.report_files import ReportFiles

_NAMED = 3
_CLASSES = 30

# Sections whose findings are printed; of the others, something is said in other words.
_SAID = ("finetuning", "mistakes", "curve")
_SAID_OF_GIVEN = ("mistakes", "contradictions")


def run(
    images: Annotated[
        list[str],
        typer.Argument(
            metavar="IMAGES...|FEATURES|CHECKPOINT",
            help="As for penult extract; or a feature file, whose rows are taken as they are; or "
            "what penult finetune wrote, and after it its photos if they have moved.",
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
    classifier: t.KindsOrFile = None,
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
    map: Annotated[
        bool, o.output_option("--map/--no-map", help="Draw the images on a map.")
    ] = True,
    clusters: Annotated[
        bool,
        o.output_option("--clusters/--no-clusters", help="Put images that look alike together."),
    ] = True,
    outliers: Annotated[
        bool, o.output_option("--outliers/--no-outliers", help="Look for unusual images.")
    ] = True,
    class_maps: Annotated[
        bool,
        o.output_option(
            "--class-maps/--no-class-maps",
            help="Show where in the photos of mistakes the classifier found its class.",
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

    Without labels, the page shows what is there without a classifier.

    Examples
    --------
    # The page is report/index.html.
    penult report photos -o report
    # Photos and their mirror images averaged; with -m given twice, networks joined.
    penult report photos -o report --views flip
    # From rows that were extracted before.
    penult report rows.h5 -o report
    # Photos without labels: a map, clusters, outliers, duplicates.
    penult report photos -o look --labels none
    # What a classifier says of other photos, those it is least sure of first.
    penult report new_photos -o new --classifier report/classifier.skops
    # What penult finetune wrote: how it went, and what the network gets wrong.
    penult report flowers.ckpt -o tuned
    # Five times with other images held out, and then into the browser.
    penult report photos -o report --runs 5 --open
    """
    from penult.images.notes import listing_notes
    from penult.reporting.commands import FEATURES
    from penult.reporting.make import report
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
            map=map,
            clusters=clusters,
            outliers=outliers,
            class_maps=class_maps,
            confusion="normalized" if confusion == "normalized" else "counts",
            escape_formulas=escape_formulas,
            open=open,
            overwrite=overwrite,
            progress=progress,
        )
    features = made.features
    if as_json:
        say_json(
            {
                "page": str(made.page),
                "rows": len(features),
                "failures": failures_json(features.failures),
                "accuracy": _accuracy(made),
                "label_errors": None
                if made.label_issues is None
                else [dataclasses.asdict(issue) for issue in made.label_issues],
                **listing_notes(features.origin),
                "findings": [dataclasses.asdict(one) for one in made.findings],
                "layer": features.name if made.classifier is None else made.classifier.layer,
                "runs": None
                if made.classifier is None
                else made.classifier.settings.to_dict().get("runs"),
                "untrained": made.untrained or None,
                "predicted": None
                if made.predictions is None
                else dict(Counter(one.label for one in made.predictions)),
                "cluster_count": None if made.clusters is None else made.clusters.k,
                "unusual": None if made.outliers is None else len(made.outliers.unusual),
                "duplicates": None if made.duplicates is None else made.duplicates.images,
            }
        )
        return
    say_failures(features.failures, total=len(features) + len(features.failures))
    say_listing_messages(features.origin)
    if made.predictions is not None:
        _say_applied(made)
    elif made.verdict and made.classifier is not None:
        _say_finetuned(made, made.classifier)
    elif made.classifier is not None:
        _say_trained(made, made.classifier)
    for line in _found(made):
        say(line)
    say_path(made.page)
    if not open:
        next_step(f"open {made.page.resolve().as_uri()} in a browser", quiet=quiet)


def _accuracy(made: ReportFiles) -> float | None:
    if made.predictions is None:
        return None if made.classifier is None else made.classifier.scores.accuracy
    return None if made.evaluation is None else _fair(made.evaluation).accuracy


def _fair(evaluation: Evaluation) -> Scores:
    """The scores of images that did not train it, where some did."""
    return evaluation.apart or evaluation.scores


def _say_trained(made: ReportFiles, classifier: Classifier) -> None:
    from penult.classify.edges import edge_lines
    from penult.reporting.page import LABEL_ERRORS

    scores, settings = classifier.scores, classifier.settings
    class_table(scores)
    trials_table(settings)
    layers_table(settings, classifier.layer)
    say_accuracy(scores, seen=bool(settings.trained_network))
    if line := settings.network_line:
        say(line)
    if line := runs_line(settings):
        say(line)
    if line := layer_line(settings, classifier.layer):
        say(line)
    say(grid_line(settings))
    if line := copies_line(settings):
        say(line)
    for line in edge_lines(settings):
        say(line)
    say_left_out(settings.left_out)
    for finding in made.findings:
        if finding.section in _SAID:
            say(finding.text)
    if made.label_issues:
        say(_label_errors_line(made.label_issues, made.page.with_name(LABEL_ERRORS)))


def _say_finetuned(made: ReportFiles, classifier: Classifier) -> None:
    from penult.reporting.page import LABEL_ERRORS

    class_table(classifier.scores)
    say_accuracy(classifier.scores)
    for finding in made.findings:
        if finding.section in _SAID:
            say(finding.text)
    if made.label_issues:
        say(_label_errors_line(made.label_issues, made.page.with_name(LABEL_ERRORS)))


def _say_applied(made: ReportFiles) -> None:
    predictions = made.predictions or ()
    counts: Counter[str] = Counter()
    for one in predictions:
        counts.update([one.label] if one.labels is None else one.labels)
    table = Table(("class", "images"), right=("images",))
    for label, images in counts.most_common(_CLASSES):
        table.add_row(label, f"{images:,}")
    table.show()
    if len(counts) > _CLASSES:
        say(f"and {count(len(counts) - _CLASSES, 'more class', 'more classes')}")
    if made.evaluation is not None:
        say_accuracy(_fair(made.evaluation))
        if made.evaluation.trained and made.evaluation.apart is None:
            say("no estimate for new photos: all of them trained it")
    for finding in made.findings:
        if finding.section in _SAID_OF_GIVEN:
            say(finding.text)
    unlike = sum(bool(one.unlike) for one in predictions)
    if unlike:
        say(f"{count(unlike, 'image')} {'is' if unlike == 1 else 'are'} unlike all that trained it")
    say_path(made.page.with_name("predictions.csv"))


def _found(made: ReportFiles) -> Iterator[str]:
    """What the images show by themselves, a line each."""
    if made.clusters is not None:
        yield made.clusters.method_line
    if made.outliers is not None:
        yield made.outliers.unusual_line
        if any(not one.common for one in made.outliers.issues):
            yield made.outliers.pictures_line
    if made.duplicates is not None and made.duplicates.groups:
        images, groups = count(made.duplicates.images, "image"), len(made.duplicates.groups)
        yield f"{images} in {count(groups, 'group')} of duplicates"


def _label_errors_line(issues: Sequence[LabelIssue], file: Path) -> str:
    shown = listed((f"{one.id} ({one.label}, perhaps {one.suggested})" for one in issues), _NAMED)
    return f"{count(len(issues), 'label')} may be wrong: {shown}; see the page, or {file}"

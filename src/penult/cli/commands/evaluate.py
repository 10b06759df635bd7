"""``penult evaluate``."""

from __future__ import annotations

from typing import Annotated

import typer

from penult.cli import options as o
from penult.cli.console import (
    failures_json,
    files_in,
    say,
    say_failures,
    say_json,
    say_listing_messages,
    say_path,
    say_some,
)
from penult.cli.tables import class_table, say_accuracy, scores_table
from penult.wording import count


def run(
    classifier: o.Classifier,
    data: Annotated[
        list[str],
        typer.Argument(
            metavar="FEATURES|IMAGES...", help="A feature file, or images with their labels."
        ),
    ],
    labels: o.Labels = "parent",
    label_pattern: o.LabelPattern = None,
    path_column: o.PathColumn = None,
    label_column: o.LabelColumn = None,
    splits: o.Splits = "auto",
    weights: o.MovedWeights = None,
    offline: o.Offline = False,
    engine: o.Engine = "auto",
    device: o.Device = "auto",
    batch_size: o.BatchSize = None,
    workers: o.Workers = None,
    on_error: o.OnError = "skip",
    results: o.Results = None,
    confusion: o.Confusion = "counts",
    escape_formulas: o.EscapeFormulas = False,
    overwrite: o.Overwrite = False,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Score a classifier on other labelled images, or on a feature file of them.

    If some of them trained it, the others are scored by themselves as well. Labels that it has
    never seen are reported apart.

    Examples
    --------
    # Other photos, in folders named after their classes.
    penult evaluate flowers.skops new_photos
    # Rows that were extracted before.
    penult evaluate flowers.skops rows.h5 --results scores
    """
    from penult.classify.metrics.scores import scores_to_dict
    from penult.images.notes import listing_notes
    from penult.tasks.evaluate import evaluate

    found = evaluate(
        classifier,
        data,
        labels=labels,
        label_pattern=label_pattern,
        path_column=path_column,
        label_column=label_column,
        splits=splits,
        weights=weights,
        offline=offline,
        engine=engine,
        device=device,
        batch_size=batch_size,
        workers=workers,
        on_error=on_error,
        results=results,
        confusion="normalized" if confusion == "normalized" else "counts",
        escape_formulas=escape_formulas,
        overwrite=overwrite,
        progress=not quiet,
    )
    written = files_in(results)
    if as_json:
        say_json(
            {
                "apart": None if found.apart is None else scores_to_dict(found.apart),
                "trained": found.trained,
                "scores": scores_to_dict(found.scores),
                "unseen_labels": dict(found.unseen_labels),
                "unlike": found.unlike,
                "unseen_unlike": found.unseen_unlike,
                "unlabelled": found.unlabelled,
                "failures": failures_json(found.failures),
                **listing_notes(found.notes),
                "results": [str(path) for path in written],
            }
        )
        return
    if found.trained:  # before the numbers, which are read first
        some = "all" if found.apart is None else f"{found.trained:,}"
        shown = count(found.scores.images, "image")
        say(f"{some} of {shown} trained this classifier, so this is no estimate for new ones:")
    class_table(found.scores)
    scores_table(found.scores)
    say_accuracy(found.scores, seen=bool(found.trained))
    if found.trained is None:
        which = "these features have" if found.digests else "its file has"
        say(f"whether they trained this classifier is not known: {which} no digests of the images")
    if found.apart is not None:
        say_accuracy(found.apart)
    say_some(
        [
            f"never seen in training, and in no score: {label}, {count(images, 'image')}"
            for label, images in found.unseen_labels.items()
        ]
    )
    if found.unlike is not None:
        others = f"; of those never seen, {found.unseen_unlike:,}" if found.unseen.ids else ""
        say(
            f"unlike anything it was trained on: {found.unlike:,} of "
            f"{count(found.scores.images, 'image')}{others}"
        )
    if found.unlabelled:
        # To a classifier of one class an image, several labels are none.
        label = "single label" if found.several else "label"
        have = "has" if found.unlabelled == 1 else "have"
        say(f"{count(found.unlabelled, 'image')} {have} no {label}")
    say_failures(found.failures, total=found.total)
    say_listing_messages(found.notes)
    for path in written:
        say_path(path)

"""``penult labels apply``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from penult.cli import options as o
from penult.cli.console import next_step, say, say_json, say_path, say_some
from penult.wording import count, listed

_NAMED = 3


def run(
    reviewed: Annotated[
        Path,
        typer.Argument(
            help="label_errors.csv of a report without the lines whose label is right, or what "
            "the report's page saves: the labels in its column 'suggested' are taken. Or a table "
            "of corrected labels (path, label), such as penult serve gives, or --labels of penult "
            "extract takes.",
        ),
    ],
    features: Annotated[
        Path,
        typer.Argument(
            help="Feature file of the photos, such as the report was made of; it stays as it is."
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Table of all labels to write, .csv.")
    ],
    allow_new: Annotated[
        bool,
        typer.Option(
            "--allow-new",
            help="Take labels that no image has yet, and from a table of labels also those "
            "that are spelled almost like another; with --by-folder those of folders as well.",
        ),
    ] = False,
    by_folder: Annotated[
        bool,
        typer.Option(
            "--by-folder",
            help="Give images without a label that of their folder, if some image has it: those "
            "that were added later.",
        ),
    ] = False,
    path_column: o.PathColumn = None,
    label_column: o.LabelColumn = None,
    overwrite: o.Overwrite = False,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Write a table of all labels in which those of a reviewed list are put right.

    No photo is moved. The table is what --labels of penult extract and penult report takes.

    Examples
    --------
    # Which of the labels that look wrong are wrong, you have seen on the page.
    penult labels apply reviewed.csv report/features.h5 -o corrected.csv
    # The same photos with these labels; rows are not computed again.
    penult report photos -o report --labels corrected.csv --overwrite
    # Photos that were added since get the labels of their folders.
    penult labels apply reviewed.csv report/features.h5 -o all.csv --by-folder
    # Labels that were corrected while penult serve ran, and photos added since.
    penult labels apply labels.csv features.h5 -o all.csv --by-folder
    """
    from penult.reporting.relabelling import relabelling_step
    from penult.tasks.apply_labels import apply_labels

    applied = apply_labels(
        reviewed,
        features,
        output,
        allow_new=allow_new,
        by_folder=by_folder,
        path_column=path_column,
        label_column=label_column,
        overwrite=overwrite,
    )
    if as_json:
        say_json(
            {
                "output": str(output),
                "images": applied.images,
                "corrected": [{"id": one, "label": new} for one, new in applied.corrected.items()],
                "already": applied.already,
                "by_folder": [{"id": one, "label": new} for one, new in applied.by_folder.items()],
                "unknown_folders": list(applied.unknown_folders),
                "new_classes": list(applied.new_classes),
                "removed": list(applied.removed),
                "cleared": list(applied.cleared),
                "missing": list(applied.missing),
                "meant": dict(applied.meant),
                "unread": list(applied.unread),
                "unlabelled": list(applied.unlabelled),
            }
        )
        return
    say_some(
        [
            *(f"{image}: now {label}" for image, label in applied.corrected.items()),
            *(f"{image}: no label any more" for image in applied.cleared),
        ]
    )
    right = count(len(applied.corrected) + len(applied.cleared), "label")
    away = f", {len(applied.cleared):,} of them taken away" if applied.cleared else ""
    say(f"{right} of {count(applied.images, 'image')} put right{away}")
    if applied.new_classes:
        new = count(len(applied.new_classes), "new class")
        say(f"{new}, whose label no image had: {listed(applied.new_classes, _NAMED)}")
    if applied.already:
        say(f"{count(applied.already, 'image')} of the list had the label already")
    if applied.missing:
        gone = count(len(applied.missing), "image")
        verb = "is" if len(applied.missing) == 1 else "are"
        say(f"{gone} of the table {verb} not there: {listed(applied.missing, _NAMED)}")
    say_some(
        [f"{one}: did you mean {meant}? Capitals count" for one, meant in applied.meant.items()]
    )
    say_some([f"{image}: {label}, as its folder" for image, label in applied.by_folder.items()])
    if applied.unread:
        verb = "is" if len(applied.unread) == 1 else "are"
        say(
            f"{count(len(applied.unread), 'image')} that could not be read {verb} in the table as "
            f"well: {listed(applied.unread, _NAMED)}"
        )
    if applied.unlabelled:
        without = f"{count(len(applied.unlabelled), 'image')} without a label"
        is_meant = by_folder or set(applied.unlabelled) <= set(applied.removed)
        hint = "" if is_meant else "; --by-folder gives those of the folders"
        if applied.unknown_folders:
            folders = listed(applied.unknown_folders, _NAMED)
            noun = "folder" if len(applied.unknown_folders) == 1 else "folders"
            hint = (
                f"; no image has the name of the {noun} {folders} as its label: type it again with "
                f"--allow-new --overwrite to take it all the same, or write labels into {output}"
            )
        say(f"{without}: {listed(applied.unlabelled, _NAMED)}{hint}")
    say_path(output)
    next_step(relabelling_step(features, output), quiet=quiet)

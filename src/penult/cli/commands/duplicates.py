"""``penult duplicates``."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from penult.cli import options as o
from penult.cli import training as t
from penult.cli.console import next_command, say, say_json, say_path
from penult.cli.taken_layer import taken_layer
from penult.errors import UsageError

if TYPE_CHECKING:
    from penult.records import Duplicates


def run(
    features: Annotated[Path, typer.Argument(help="Feature file.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Write a page that shows the pictures side by side, .html.",
            show_default=False,
        ),
    ] = None,
    layer: o.OneLayer = None,
    threshold: Annotated[
        float,
        typer.Option(
            metavar="COSINE",
            help="Least cosine of two rows that are near-duplicates; 1 for equal rows only.",
        ),
    ] = 0.95,
    across_splits: Annotated[
        bool,
        typer.Option(
            "--across-splits",
            help="List pairs in different parts (train, validation, test), and say what the "
            "accuracy is without them.",
        ),
    ] = False,
    repair: Annotated[
        Path | None,
        typer.Option(
            help="Write a split in which no group is in several parts: a copy of the features, "
            ".h5, or a table of ids, .csv. Says what --across-splits says, too, for which it "
            "trains.",
            show_default=False,
        ),
    ] = None,
    write_list: Annotated[
        Path | None,
        typer.Option(
            help="Write the ids that may go, one a line: all of a group but the one to keep; "
            "none where labels differ.",
            show_default=False,
        ),
    ] = None,
    images: o.MovedImages = None,
    offline: o.PicturesOffline = False,
    max_memory: t.MaxMemory = None,
    as_csv: Annotated[bool, o.output_option("--csv", help="Print the groups as CSV.")] = False,
    escape_formulas: o.EscapeFormulas = False,
    overwrite: o.Overwrite = False,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Find copies and near-duplicates, and which of them leak from one part into another.

    Nothing is deleted or moved: what may go can be listed, and a split can be repaired.

    Examples
    --------
    # Groups, and which image of each to keep.
    penult duplicates rows.h5
    # A page with the pictures side by side, and a list of those that may go.
    penult duplicates rows.h5 -o duplicates.html --write-list drop.txt
    # What leaks from the training part into the test part, and a split without.
    penult duplicates rows.h5 --across-splits --repair repaired.h5
    """
    if as_csv and as_json:
        raise UsageError("--csv prints the groups as CSV; --json excludes it: leave one out")
    from penult.cli.duplicates import show
    from penult.tasks.duplicates import duplicates

    found = duplicates(
        features,
        output,
        layer=layer,
        threshold=threshold,
        across_splits=across_splits,
        repair=repair,
        write_list=write_list,
        images=images,
        offline=offline,
        max_memory=max_memory,
        escape_formulas=escape_formulas,
        overwrite=overwrite,
        progress=not quiet,
    )
    if as_json:
        say_json(found.to_dict())
        return
    if as_csv:
        _print_csv(found, escape_formulas=escape_formulas)
        return
    show(found)
    if taken := taken_layer(features, layer):
        say(taken)
    for path in (output, write_list, repair):
        if path is not None:
            say_path(path)
    if repair is not None and repair.suffix.lower() != ".csv" and _trains(found):
        of = [] if layer is None else ["--layer", layer]
        next_command("train", repair, "-o", repair.with_suffix(".skops"), *of, quiet=quiet)
    elif found.groups and output is None:
        at = [] if threshold == 0.95 else ["--threshold", f"{threshold:g}"]
        next_command("duplicates", features, "-o", "duplicates.html", *at, quiet=quiet)


def _trains(found: Duplicates) -> bool:
    """Whether a classifier can be trained on these parts."""
    return found.leaks is not None and found.leaks.held_out > 0


def _print_csv(found: Duplicates, *, escape_formulas: bool) -> None:
    from penult.messages import escape_formula, printable
    from penult.tabular import DUPLICATE_COLUMNS, duplicate_cells

    escapes = [escape_formula] * escape_formulas + [printable] * sys.stdout.isatty()
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(DUPLICATE_COLUMNS)
    for cells in duplicate_cells(found):
        row = ["true" if c is True else "false" if c is False else c for c in cells]
        for escape in escapes:
            row = [escape(cell) if isinstance(cell, str) else cell for cell in row]
        table.writerow(row)

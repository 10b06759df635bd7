"""``penult summarize``."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from penult.cli import options as o
from penult.cli.console import Table, next_command, say, say_json, say_path
from penult.errors import UsageError


def run(
    features: Annotated[Path, typer.Argument(help="Feature file.")],
    output: Annotated[
        list[Path] | None,
        typer.Option(
            "--output",
            "-o",
            help="Write a picture of the numbers, .png or .svg; may be given several times.",
            show_default=False,
        ),
    ] = None,
    layer: o.OneLayer = None,
    metric: Annotated[
        Literal["cosine", "euclidean"],
        typer.Option(help="By which neighbours are near and pairs far."),
    ] = "cosine",
    sample: Annotated[
        int,
        typer.Option(
            metavar="N", help="Of more rows, find neighbours among a random part of so many."
        ),
    ] = 10_000,
    seed: Annotated[int, typer.Option(help="Of the sample.")] = 0,
    as_csv: Annotated[
        bool,
        o.output_option("--csv", help="Print the statistics of each number of a row as CSV."),
    ] = False,
    overwrite: o.Overwrite = False,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Say what rows are like, in numbers, and what to worry about.

    Copies, dead dimensions, norms, effective rank, intrinsic dimension, distances within and
    between classes, hubs: each with a sentence that says what it means.

    Examples
    --------
    penult summarize rows.h5
    # As curves: the spectrum, norms, distances, and how often rows are found.
    penult summarize rows.h5 -o summary.png
    # Mean, std, least, largest and share of zeros of each number of a row.
    penult summarize rows.h5 --csv
    """
    if as_csv and as_json:
        raise UsageError("--csv prints statistics as CSV; --json excludes it: leave one out")
    from penult.tasks.row_summary import summarize

    found = summarize(
        features,
        output,
        layer=layer,
        metric=metric,
        sample=sample,
        seed=seed,
        overwrite=overwrite,
        progress=not quiet,
    )
    if as_json:
        say_json({"outputs": [str(one) for one in output or []], **found.to_dict()})
        return
    if as_csv:
        from penult.tabular import summary_columns

        columns = summary_columns(found)
        table = csv.writer(sys.stdout, lineterminator="\n")
        table.writerow(columns)
        # The shortest digits that give a number back.
        table.writerows(zip(*columns.values(), strict=True))
        return
    say(found.line)
    say("")
    header, *rows = found.table()
    shown = Table(header)
    for row in rows:
        shown.add_row(*row)
    shown.show()
    for path in output or []:
        say_path(path)
    if not output:
        next_command("summarize", features, "-o", "summary.png", quiet=quiet)

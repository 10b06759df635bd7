"""``penult index``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from penult.cli import options as o
from penult.cli.console import next_command, say, say_json
from penult.cli.taken_layer import taken_layer
from penult.wording import count, times


def run(
    features: Annotated[Path, typer.Argument(help="Feature file, or an index to change.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Index to write, .index.", show_default="the index changed"
        ),
    ] = None,
    layer: o.OneLayer = None,
    kind: Annotated[
        Literal["auto", "flat", "hnsw", "ivfpq"],
        typer.Option(
            help="flat: exact search; hnsw: a graph, the fastest for many rows; ivfpq: short "
            "codes, where memory is short; auto: what suits so many rows."
        ),
    ] = "auto",
    metric: Annotated[
        Literal["cosine", "euclidean"] | None,
        typer.Option(help="How near two rows are.", show_default="cosine"),
    ] = None,
    add: Annotated[
        list[Path] | None,
        typer.Option(
            "--add", metavar="FEATURES", help="Feature file whose rows are added; several times."
        ),
    ] = None,
    remove: Annotated[
        list[str] | None,
        typer.Option(
            "--remove", metavar="ID", help="Row to take out, or a glob of ids; several times."
        ),
    ] = None,
    restore: Annotated[
        bool, typer.Option("--restore", help="Have --add add rows that were removed before, too.")
    ] = False,
    overwrite: o.Overwrite = False,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Build an index of rows, or add rows to one and remove rows from it.

    An index is one file, with the rows, their ids and labels, and the recipe; it needs no other.

    Examples
    --------
    penult index rows.h5 -o gallery.index
    penult index rows.h5 -o gallery.index --kind hnsw
    # What changes is that index.
    penult index gallery.index --add more.h5 --remove daisy/1.jpg
    """
    from penult.tasks.index import index

    made = index(
        features,
        output,
        layer=layer,
        kind=kind,
        metric=metric,
        add=add,
        remove=remove,
        restore=restore,
        overwrite=overwrite,
        progress=not quiet,
    )
    if as_json:
        recall = made.recall
        say_json(
            {
                "output": str(made.file),
                "rows": len(made),
                "shape": list(made.rows.shape),
                "dtype": str(made.rows.dtype),
                "kind": made.kind,
                "why": made.why,
                "metric": made.metric,
                "recall": None if recall is None else recall.value,
                "recall_at": None if recall is None else recall.k,
                "recall_rows": None if recall is None else recall.queries,
                "rows_removed": len(made.removed),
                "notes": list(made.notes),
            }
        )
        return
    rows = f"{count(len(made), 'row')} of {times(made.rows.shape[1:])} {made.rows.dtype}"
    say(f"{made.file}: {rows}, {made.kind}, {made.metric}")
    if taken := taken_layer(features, layer):
        say(taken)
    for line in made.lines:
        say(line)
    next_command("search", made.file, "PHOTO", quiet=quiet)

"""``penult push``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from penult.cli import options as o
from penult.cli.console import next_command, say, say_json
from penult.wording import count


def run(
    features: Annotated[Path, typer.Argument(help="Feature file.")],
    to: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="Table to put them into, which is made where it is not there: "
            "postgresql://USER@HOST/DATABASE?table=NAME, or http://HOST:6333/NAME of Qdrant. "
            "Leave a password to PGPASSWORD or QDRANT_API_KEY: the shell's history keeps an "
            "address, and a list of processes shows it.",
        ),
    ],
    layer: o.OneLayer = None,
    prune: Annotated[
        bool, typer.Option("--prune", help="Remove the rows that the file does not have.")
    ] = False,
    index: Annotated[
        bool | None,
        typer.Option(
            "--index/--no-index",
            help="Have the database build an index. Without one, a search is exact, and reads all "
            "rows.",
            show_default="from 10,000 rows on",
        ),
    ] = None,
    metric: Annotated[
        Literal["cosine", "euclidean"], typer.Option(help="By what the index finds rows.")
    ] = "cosine",
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Put rows into a table of a database, PostgreSQL with pgvector or Qdrant.

    Ids, labels, splits, groups and the recipe go with them. The same again changes nothing, and
    what was interrupted goes on.

    Examples
    --------
    penult push features.h5 --to 'postgresql://me@db/photos?table=flowers'
    # Rows that the file does not have any more go, too.
    penult push features.h5 --to http://localhost:6333/flowers --prune
    """
    from penult.tasks.push import push

    done = push(
        features,
        to=to,
        layer=layer,
        prune=prune,
        index=index,
        metric=metric,
        progress=not quiet,
    )
    if as_json:
        say_json(
            {
                "to": done.to,
                "rows": done.rows,
                "added": done.added,
                "updated": done.updated,
                "unchanged": done.unchanged,
                "removed": done.removed,
                "left": done.left,
                "layer": done.layer,
                "index": done.index,
            }
        )
        return
    removed = f", {done.removed:,} removed" if prune else ""
    left = ""
    if done.left and not prune:
        are = "is" if done.left == 1 else "are"
        left = f"; {count(done.left, 'more row')} {are} in the table, which --prune removes"
    say(
        f"{done.to}: {count(done.rows, 'row')} of layer {done.layer}, {done.added:,} added, "
        f"{done.updated:,} updated, {done.unchanged:,} unchanged{removed}{left}"
    )
    next_command("search", done.to, "PHOTO.jpg", quiet=quiet)

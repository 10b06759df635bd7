"""``penult search``."""

from __future__ import annotations

import sys
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from penult.cli import options as o
from penult.cli.console import (
    Table,
    failures_json,
    note,
    say,
    say_json,
    say_listing_messages,
    say_some,
    to_json,
    warn,
)
from penult.cli.taken_layer import taken_layer
from penult.errors import UsageError
from penult.messages import printable
from penult.records import Failure, SearchResult
from penult.records.neighbors import Metric
from penult.tabular import VALUE_NAMES
from penult.wording import count, percent

_QUERY = ("query", "queries")


def run(
    gallery: Annotated[
        str,
        typer.Argument(
            help="Feature file (.h5), index (.index), or a database's table: "
            "postgresql://USER@HOST/DB?table=NAME."
        ),
    ],
    queries: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PHOTO...",
            help="What to search for: photos, folders and all else that `penult predict` takes, or "
            "a feature file.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Write the hits to this .csv or .jsonl file.",
            show_default=False,
        ),
    ] = None,
    id: Annotated[
        list[str] | None,
        typer.Option(
            "--id",
            metavar="ID",
            help="Search for this row of the gallery; no glob. May be given several times.",
            show_default=False,
        ),
    ] = None,
    k: Annotated[
        int, typer.Option("-k", "--k", min=1, help="How many rows to find for each query.")
    ] = 5,
    metric: Annotated[
        Literal["cosine", "euclidean"] | None,
        typer.Option(
            help="What is near: the cosine of two rows, or their distance.",
            show_default="cosine, or the index's own",
        ),
    ] = None,
    filter: Annotated[
        list[str] | None,
        typer.Option(
            "--filter",
            metavar="KEY=VALUE",
            help="Find only rows of this label, split, group or id (a glob); != for others. May be "
            "given several times: of one key, any will do.",
            show_default=False,
        ),
    ] = None,
    layer: Annotated[
        str | None,
        typer.Option(
            "--layer",
            "-l",
            metavar="LAYER",
            help="Which rows of the gallery to search, where it has several sets.",
            show_default="the last",
        ),
    ] = None,
    vote: Annotated[
        bool, typer.Option("--vote", help="Have the rows found vote for a label, nearer ones more.")
    ] = False,
    contact_sheet: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Draw each query with its hits, as this .png file.",
            show_default=False,
        ),
    ] = None,
    images: Annotated[
        list[str] | None,
        o.reading_option(
            "--images",
            metavar="IMAGES",
            help="Where the images of the gallery are now, if they have moved, for the contact "
            "sheet; may be given several times.",
            show_default=False,
        ),
    ] = None,
    weights: o.MovedWeights = None,
    offline: o.Offline = False,
    engine: o.Engine = "auto",
    device: o.Device = "auto",
    batch_size: o.BatchSize = None,
    workers: o.Workers = None,
    on_error: o.OnError = "skip",
    overwrite: o.Overwrite = False,
    as_csv: Annotated[bool, o.output_option("--csv", help="Print the hits as CSV.")] = False,
    escape_formulas: o.EscapeFormulas = False,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Find the images whose rows are nearest to a photo's.

    The gallery knows how its rows were made, so no model is named here. A photo that is in the
    gallery itself is not found.

    Examples
    --------
    penult search features.h5 new.jpg
    # The chairs nearest to each photo of a folder, as a picture to look at.
    penult search features.h5 new --filter label=chair --contact-sheet near.png
    # What a row of the gallery is near to.
    penult search features.h5 --id daisy/1.jpg
    # A class for each photo without training, into a table.
    penult search features.h5 new -k 10 --vote -o hits.csv
    # In a table that `penult push` filled.
    penult search 'postgresql://me@db/photos?table=flowers' new.jpg
    """
    if as_csv and (as_json or output is not None):
        other = "--json" if as_json else "--output"
        raise UsageError(f"--csv prints the hits as CSV; {other} excludes it: leave one out")
    from penult.retrieve.search.table import to_file
    from penult.tasks.search import prepare

    notes = dict[str, Any]()
    ready = prepare(
        gallery,
        queries,
        output=output,
        id=id,
        k=k,
        metric=metric,
        filter=filter,
        layer=layer,
        vote=vote,
        contact_sheet=contact_sheet,
        images=images,
        weights=weights,
        offline=offline,
        engine=engine,
        device=device,
        batch_size=batch_size,
        workers=workers,
        on_error=on_error,
        overwrite=overwrite,
        progress=not quiet,
        on_listing=notes.update,
    )
    style = "csv" if as_csv else "json" if as_json else "lines"
    columns = {**ready.columns, "escape_formulas": escape_formulas}
    written = (
        nullcontext(_to_stdout(style, quiet=quiet, **columns))
        if output is None
        else to_file(output, overwrite=overwrite, inputs=ready.inputs, **columns)
    )
    if not quiet and (taken := taken_layer(gallery, layer)):
        note(taken)
    good, failures = 0, list[Failure]()
    with closing(ready.gallery), written as write:
        for outcome in ready.outcomes():
            if isinstance(outcome, Failure):
                failures.append(outcome)
            else:
                good += 1
            write(outcome)
    sheet = {} if contact_sheet is None or not good else {"contact_sheet": str(contact_sheet)}
    if output is not None and as_json:
        told = {"output": str(output), "queries": good, "failures": failures_json(failures)}
        say_json({**told, **sheet, **notes})
    elif output is not None:
        say(f"{output}: hits of {count(good, *_QUERY)}")
    if sheet and not as_json:
        note(f"contact sheet: {contact_sheet}")
    say_listing_messages(notes, to=note)
    if failures:
        # Among lines to read, each was named in its place.
        named = output is None and style == "lines"
        total = count(len(failures) + good, *_QUERY)
        warn(f"{len(failures):,} of {total} could not be answered{'' if named else ':'}")
        if not named:
            say_some([f"  {failure.line}" for failure in failures], to=note)
    if not good:
        raise typer.Exit(1)


def _to_stdout(
    style: str, *, quiet: bool, metric: Any, several: bool, vote: bool, escape_formulas: bool
) -> Any:
    """Return what prints one outcome."""
    if style == "lines":
        return _Tables(metric, vote=vote, quiet=quiet)
    from penult.retrieve.search.table import writer

    # A terminal must not obey a file's name; a pipe gets names as they are.
    return writer(
        style,
        sys.stdout,
        metric=metric,
        several=several,
        vote=vote,
        escape_formulas=escape_formulas,
        shown=printable if sys.stdout.isatty() else None,
        as_json=to_json,
    )


class _Tables:
    """Print a small table for each query."""

    def __init__(self, metric: Metric, *, vote: bool, quiet: bool) -> None:
        self._near = VALUE_NAMES[metric]
        self._vote, self._begun = vote, quiet

    def __call__(self, outcome: SearchResult | Failure) -> None:
        if isinstance(outcome, Failure):
            warn(outcome.line)
            return
        if not self._begun:
            self._begun = True
            note(
                "similarity: cosine, 1 = same direction, larger is nearer"
                if self._near == "similarity"
                else "distance: Euclidean, 0 = equal rows, smaller is nearer"
            )
        said = outcome.query
        if self._vote:
            said += f": {_voted(outcome)}"
        if not outcome.hits:
            say(f"{said}: nothing else to be found")
            return
        has_labels = any(hit.all_labels for hit in outcome.hits)
        table = Table(["id", self._near, *["label"] * has_labels], right=[self._near], title=said)
        for hit in outcome.hits:
            labels = " | ".join(hit.all_labels)
            table.add_row(hit.id, f"{hit.value:.4f}", *[labels] * has_labels)
        table.show()


def _voted(result: SearchResult) -> str:
    vote = result.vote
    if vote is None:
        return "none of the hits has a label"
    if vote.labels is None:
        return f"{vote.label} {percent(vote.confidence)}"
    shares = dict(vote.shares)
    said = [f"{label} {percent(shares[label])}" for label in vote.labels]
    return " | ".join(said) or f"(no label; {vote.label} {percent(vote.confidence)})"

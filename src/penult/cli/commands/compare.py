"""``penult compare``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from penult.cli import completion
from penult.cli import options as o
from penult.cli import training as t
from penult.cli.console import (
    Table,
    fail,
    next_step,
    note,
    say,
    say_json,
    say_path,
    table_width,
    warn_of_random,
)
from penult.cli.stop import resumable
from penult.interface import shell_quote
from penult.records import comparison_sentences, comparison_tables, skipped_lines
from penult.wording import count

if TYPE_CHECKING:
    from penult.records import Comparison

_FEWEST = 2  # networks that make a comparison

_Score = Literal["accuracy", "knn_accuracy", "hit@1", "hit@5", "precision@5"]


def run(
    images: Annotated[
        list[str],
        typer.Argument(
            metavar="IMAGES...|FEATURES...",
            help="As for penult extract; or feature files, each of whose sets of rows is compared.",
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            metavar="FOLDER",
            help="Folder to write. A comparison that is there goes on: what is finished is kept, "
            "and other networks are added to it.",
        ),
    ],
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            "-m",
            metavar="NAME",
            help="Network to compare; `penult models` lists them. May be given several times; A+B "
            "joins the rows of two.",
            show_default="the bundled ones, and those below 100 M parameters whose weights are on "
            "this machine",
            autocompletion=completion.models,
        ),
    ] = None,
    layer: Annotated[
        list[str] | None,
        typer.Option(
            "--layer",
            "-l",
            metavar="LAYER",
            help="Layer or glob; each of several is compared, of each network.",
            show_default="penultimate; of feature files, all",
            autocompletion=completion.layers,
        ),
    ] = None,
    pooling: o.Pooling = None,
    normalize: o.Normalize = "none",
    views: Annotated[
        list[str] | None,
        o.network_option(
            metavar="[none|flip|five-crop|ten-crop]",
            help="Average the rows of several views of each photo; may be given several times, "
            "and each is compared.",
            show_default="none",
        ),
    ] = None,
    weights: o.Weights = None,
    offline: o.Offline = False,
    architecture: o.Architecture = None,
    labels: o.Labels = "parent",
    label_pattern: o.LabelPattern = None,
    path_column: o.PathColumn = None,
    label_column: o.LabelColumn = None,
    splits: o.Splits = "auto",
    decode: o.Decode = "exact",
    resize: o.Resize = "exact",
    precision: Annotated[
        list[str] | None,
        o.speed_option(
            metavar="[float32|float16|bfloat16]",
            help="In which numbers the networks compute; may be given several times, and each is "
            "compared.",
            show_default="float32",
        ),
    ] = None,
    engine: o.Engine = "auto",
    device: o.Device = "auto",
    batch_size: o.BatchSize = None,
    workers: o.Workers = None,
    streams: o.Streams = None,
    max_pixels: o.MaxPixels = None,
    allow_truncated: o.AllowTruncated = False,
    score: Annotated[
        _Score,
        o.scoring_option(
            "--score",  # typer would take the metavar, in capitals, where it is the same word
            metavar="SCORE",
            help="By which they are ranked and recommended: accuracy, knn_accuracy, hit@1, hit@5 "
            "or precision@5.",
        ),
    ] = "accuracy",
    test_size: t.TestSize = 0.2,
    runs: Annotated[
        int | None,
        o.scoring_option(
            min=1,
            help="How often a part is held out, with seeds one apart; the same parts for all.",
            show_default="3; 1 where the images have splits of their own",
        ),
    ] = None,
    min_per_class: t.MinPerClass = 0,
    near_duplicates: t.NearDuplicates = None,
    ignore_splits: t.IgnoreSplits = False,
    seed: o.Seed = 0,
    folds: t.Folds = 3,
    cost: Annotated[
        bool,
        o.output_option("--cost/--no-cost", help="Measure images/s, memory, parameters and FLOPs."),
    ] = True,
    similarity: Annotated[
        bool,
        o.output_option(
            "--similarity/--no-similarity", help="Say how alike the rows of each two are."
        ),
    ] = True,
    open: Annotated[
        bool, o.output_option("--open", help="Show the page in the browser, once it is written.")
    ] = False,
    overwrite: Annotated[
        bool,
        o.output_option(
            "--overwrite",
            help="Begin anew in a folder that holds a comparison: other parts are held out, and "
            "all is scored again. Rows that lie there are kept.",
        ),
    ] = False,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Compare networks on your own images: their scores, their cost, and which to take.

    All are scored on the same held-out images, and differences that may be noise are called so. It
    goes on where it was stopped, and more networks can be added later.

    Examples
    --------
    # The bundled networks, and those whose weights are on this machine.
    penult compare photos -o comparison
    # Two networks; the page is two/index.html.
    penult compare photos -o two -m efficientnet_lite0 -m efficientnet_lite1
    # Their join beside them, on the same held-out photos; nothing is computed again.
    penult compare photos -o two -m efficientnet_lite0+efficientnet_lite1
    # One network with and without mirrored photos; and in another precision.
    penult compare photos -o ways -m efficientnet_lite0 --views none --views flip
    penult compare photos -o ways -m efficientnet_lite0 --precision bfloat16
    # Rows that were extracted before.
    penult compare rows.h5 more.h5 -o comparison
    """
    from penult.reporting.opening import open_page
    from penult.tasks.compare import compare

    given = model or ["efficientnet_lite0"]
    warn_of_random(weights, *(name.strip() for one in given for name in one.split("+")))
    with resumable(output):
        made = compare(
            images,
            output,
            model=model,
            layer=layer or "penultimate",
            pooling=pooling,
            normalize=normalize,
            views=views,  # type: ignore[arg-type]  # the function says which there are
            weights=weights,
            offline=offline,
            architecture=architecture,
            labels=labels,
            label_pattern=label_pattern,
            path_column=path_column,
            label_column=label_column,
            splits=splits,
            decode=decode,
            resize=resize,
            precision=precision or "float32",  # type: ignore[arg-type]
            engine=engine,
            device=device,
            batch_size=batch_size,
            workers=workers,
            streams=streams,
            max_pixels=max_pixels,
            allow_truncated=allow_truncated,
            score=score,
            test_size=test_size,
            runs=runs,
            min_per_class=min_per_class,
            near_duplicates=near_duplicates,
            ignore_splits=ignore_splits,
            seed=seed,
            folds=folds,
            cost=cost,
            similarity=similarity,
            overwrite=overwrite,
            progress=not quiet,
        )
    if as_json:
        say_json(made.to_dict())
    else:
        _show(made, quiet=quiet or open)
    if open and made.page is not None:
        open_page(made.page)
    if len(made.rows) < _FEWEST and made.skipped:
        fail(f"penult: {count(len(made.rows), 'network')} could be compared; it takes two")
        raise typer.Exit(1)
    if len(made.rows) < _FEWEST:  # which is how a comparison may begin
        from penult.features.places import is_feature_file

        another = "the same command with another -m NAME, of those that `penult models` lists"
        if is_feature_file(images[0]):
            another = f"penult compare OTHER.h5 -o {shell_quote(str(output))}"
        note(f"{output} has 1 network so far; to add another: {another}")


def _show(made: Comparison, *, quiet: bool) -> None:
    # A table has a blank at either end.
    for title, rows in comparison_tables(made, table_width() - 2):
        table = Table(rows[0], right=rows[0][1:], narrow=True)
        for row in rows[1:]:
            table.add_row(*row)
        if title:
            say(title)
        table.show()
    # Each was told of on stderr when it was left out; here are all of them together.
    for line in [*comparison_sentences(made), *skipped_lines(made)]:
        say(line)
    if made.page is not None:
        say_path(made.page)
        next_step(f"open {made.page.resolve().as_uri()} in a browser", quiet=quiet)

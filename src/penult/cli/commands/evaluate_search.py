"""``penult evaluate-search``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from penult.cli import options as o
from penult.cli.console import Table, say, say_json
from penult.cli.taken_layer import taken_layer
from penult.errors import UsageError
from penult.records import search_label_rows, search_score_rows, search_sentences
from penult.wording import count

_LABELS_SHOWN = 10


def run(
    gallery: Annotated[Path, typer.Argument(help="Feature file whose rows have labels.")],
    queries: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Feature file of other rows, of an equal recipe, that search the gallery.",
            show_default="each row searches all others",
        ),
    ] = None,
    k: Annotated[
        list[str] | None,
        typer.Option(
            "--k",
            "-k",
            metavar="K",
            help="Lengths of the lists to score, separated by commas.",
            show_default="1,5,10",
        ),
    ] = None,
    test_size: Annotated[
        float | None,
        o.scoring_option(
            metavar="PART",
            help="Part of the gallery that searches the rest, e.g. 0.2, drawn so that each label "
            "has its share.",
            show_default="each row searches all others",
        ),
    ] = None,
    runs: Annotated[
        int,
        o.scoring_option(min=1, help="How often such a part is drawn, with seeds one apart."),
    ] = 1,
    metric: Annotated[
        Literal["cosine", "euclidean"], o.scoring_option(help="By what rows are near.")
    ] = "cosine",
    near_duplicates: Annotated[
        float,
        o.scoring_option(
            metavar="COSINE",
            help="From this cosine on, two rows count as one in the scores without duplicates.",
        ),
    ] = 0.95,
    layer: o.OneLayer = None,
    seed: Annotated[
        int, o.scoring_option(help="Seed of the parts drawn and of the intervals.")
    ] = 0,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Score how well a search finds the rows of the query's own label.

    Each row of the gallery searches all others, or a part of them the rest, or the rows of another
    file the gallery.

    Examples
    --------
    penult evaluate-search gallery.h5 -k 1,5
    # Three times, a fifth of the rows searches the others.
    penult evaluate-search gallery.h5 --test-size 0.2 --runs 3
    # Rows of other photos search the gallery.
    penult evaluate-search gallery.h5 --queries queries.h5
    """
    from penult.tasks.evaluate_search import evaluate_search

    found = evaluate_search(
        gallery,
        queries,
        k=(1, 5, 10) if k is None else _numbers(k),
        test_size=test_size,
        runs=runs,
        metric=metric,
        near_duplicates=near_duplicates,
        layer=layer,
        seed=seed,
        progress=not quiet,
    )
    if as_json:
        say_json(found.to_dict())
        return
    _show(search_score_rows(found))
    if len(found.labels) > 1:
        rows = search_label_rows(found)
        _show(rows[: _LABELS_SHOWN + 1])
        if len(rows) > _LABELS_SHOWN + 1:
            say(f"and {count(len(rows) - _LABELS_SHOWN - 1, 'label')} more")
    for line in search_sentences(found):
        say(line)
    if taken := taken_layer(gallery, layer):
        say(taken)


def _numbers(given: list[str]) -> list[int]:
    texts = [text.strip() for one in given for text in one.split(",")]
    if not all(text.isdecimal() for text in texts):
        raise UsageError(f"-k {','.join(given)!r} was given; give numbers such as -k 1,5,10")
    return [int(text) for text in texts]


def _show(rows: Sequence[tuple[str, ...]]) -> None:
    table = Table(rows[0], right=rows[0][1:])
    for row in rows[1:]:
        table.add_row(*row)
    table.show()

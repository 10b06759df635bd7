"""``penult outliers``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from penult.cli import options as o
from penult.cli.console import Table, next_command, note, say, say_json, say_path, say_some, warn
from penult.wording import count

if TYPE_CHECKING:
    from penult.records import Outliers

_SHOWN = 20  # images


def run(
    features: Annotated[Path, typer.Argument(help="Feature file.")],
    output: Annotated[
        list[Path] | None,
        typer.Option(
            "--output",
            "-o",
            help="What to write, by suffix: a table of all images (.csv, .parquet), or a page with "
            "pictures (.html); may be given several times.",
            show_default=False,
        ),
    ] = None,
    reference: Annotated[
        Literal["all", "class", "train"] | None,
        typer.Option(
            help="What a row is compared with: all others, the others of its class, or the "
            "training part.",
            show_default="class where most rows have a large enough one, or else all",
        ),
    ] = None,
    k: Annotated[
        int | None,
        typer.Option(
            "-k", "--k", metavar="N", help="How many neighbours count.", show_default="10"
        ),
    ] = None,
    layer: o.OneLayer = None,
    metric: Annotated[
        Literal["cosine", "euclidean"],
        typer.Option(help="Of distances: 1 minus the cosine, or Euclidean."),
    ] = "cosine",
    pictures: Annotated[
        bool,
        typer.Option(help="Measure the pictures as well, which takes the time of decoding them."),
    ] = True,
    limit: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="How many images are printed, and of odd pictures as many.",
            show_default="20, and all with --json",
        ),
    ] = None,
    images: o.MovedImages = None,
    offline: o.PicturesOffline = False,
    escape_formulas: o.EscapeFormulas = False,
    overwrite: o.Overwrite = False,
    as_json: Annotated[
        bool,
        o.general_option("--json", help="Print an image a line as JSON, for programs."),
    ] = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Find images that are unlike others, and pictures that are dark, blurred, tiny or odd.

    Rows are compared by their distance to neighbours and by the local outlier factor. What both
    rules call unusual is listed first, then what one does, then all others; each by percentile,
    and of equal ones by the factor. Odd pictures have a table of their own.

    Examples
    --------
    # The most unusual images, and how many pictures are odd.
    penult outliers rows.h5
    # A page with the pictures, and a table of all images.
    penult outliers rows.h5 -o outliers.html -o outliers.csv
    # Against the whole set, by the rows alone; an image a line, the first five.
    penult outliers rows.h5 --reference all --no-pictures --json --limit 5
    """
    from itertools import islice

    from penult.tasks.outliers import outliers

    found = outliers(
        features,
        output,
        reference=reference,
        k=k,
        layer=layer,
        metric=metric,
        pictures=pictures,
        images=images,
        offline=offline,
        escape_formulas=escape_formulas,
        overwrite=overwrite,
        progress=not quiet,
    )
    if as_json:
        for one in islice(found, limit):
            say_json(one.to_dict())
    else:
        _show(found, _SHOWN if limit is None else limit)
        for path in output or []:
            say_path(path)
    if found.failures:
        warn(f"{count(len(found.failures), 'picture')} could not be measured:")
        say_some([f"  {one.line}" for one in found.failures], to=note)
        raise typer.Exit(1)
    if not as_json and not output:
        of = [] if reference is None else ["--reference", reference]
        of += [] if k is None else ["-k", str(k)]
        of += [] if layer is None else ["--layer", layer]
        of += [] if metric == "cosine" else ["--metric", metric]
        of += ["--no-pictures"] * (not pictures)
        of += [word for one in images or [] for word in ("--images", one)]
        of += ["--offline"] * offline
        next_command("outliers", features, "-o", "outliers.html", *of, quiet=quiet)


def _short(number: float | None, digits: int) -> str:
    """A number as columns of such numbers have it; those far from 1 have an exponent."""
    if number is None:
        return ""
    usual = number == 0 or 10.0**-digits <= number < 1e7
    return f"{number:.{digits}f}" if usual else f"{number:.2e}"


def _show(found: Outliers, limit: int) -> None:
    from itertools import islice

    from penult.records import REASONS
    from penult.records.outlier_words import UNUSUAL, odd_about

    compared = [one for one in islice(found, limit) if one.percentile is not None]
    labelled = any(one.label is not None for one in compared)
    header = ("image", *["label"] * labelled, "percentile", "distance", "LOF", "why")
    table = Table(header, right=("percentile", "distance", "LOF"))
    for one in compared:
        numbers = f"{one.percentile:.1f}", _short(one.distance, 3), _short(one.lof, 2)
        why = ", ".join(REASONS[reason] for reason in one.reasons)
        table.add_row(one.id, *[one.label or ""] * labelled, *numbers, why)
    table.show()
    if len(found.odd):
        table = Table(("odd picture", "percentile", "what is odd"), right=("percentile",))
        for place in found.odd[:limit].tolist():
            one = found.at(place)
            table.add_row(
                one.id, "" if one.percentile is None else f"{one.percentile:.1f}", odd_about(one)
            )
        table.show()
        if len(found.odd) > limit:
            say(f"and {count(len(found.odd) - limit, 'more odd picture')}")
    say(found.method_line)
    for line in (found.not_compared_line, found.unusual_line, UNUSUAL, found.pictures_line):
        if line:
            say(line)
    if found.measured and not any(one.reason == "blurry" for one in found.issues):
        say("of blur, only what leaves no edge at 64 pixels is found")

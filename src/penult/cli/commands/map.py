"""``penult map``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from penult.cli import options as o
from penult.cli.console import next_command, say, say_json, say_path


def run(
    features: Annotated[Path, typer.Argument(help="Feature file.")],
    output: Annotated[
        list[Path] | None,
        typer.Option(
            "--output",
            "-o",
            help="What to write, by suffix: coordinates (.csv, .parquet), a picture (.png, .svg), "
            "or a page to look around in (.html); may be given several times.",
            show_default=False,
        ),
    ] = None,
    method: Annotated[
        Literal["pca", "tsne", "umap"],
        typer.Option(
            help="t-SNE and UMAP show which rows are near to each other, PCA how they vary most."
        ),
    ] = "tsne",
    layer: o.OneLayer = None,
    metric: Annotated[
        Literal["cosine", "euclidean"] | None,
        typer.Option(help="By which rows are near.", show_default="cosine"),
    ] = None,
    perplexity: Annotated[
        float | None,
        typer.Option(
            help="Of t-SNE: how many neighbours, roughly, each row is kept near to.",
            show_default="30",
        ),
    ] = None,
    neighbors: Annotated[
        int | None,
        typer.Option(
            help="Of UMAP: how many nearest rows each row is kept near to.", show_default="15"
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(help="Of the sample, and of what chance decides in UMAP.")
    ] = 0,
    fit_on: Annotated[
        Literal["train", "validation", "test"] | None,
        typer.Option(
            help="Make the map of this part alone, and place all other rows on it.",
            show_default=False,
        ),
    ] = None,
    sample: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Draw a random part of so many rows, where there are very many.",
            show_default=False,
        ),
    ] = None,
    coordinates: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Draw a map again from its .csv or .parquet, in place of computing it.",
            show_default=False,
        ),
    ] = None,
    columns: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Table with a column id (.csv, .parquet) whose other columns may colour the map; "
            "may be given several times.",
            show_default=False,
        ),
    ] = None,
    color_by: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="What colours stand for, and on a page do at first: label, split, group, none, or "
            "a column of --columns.",
            show_default="label, if there are some",
        ),
    ] = None,
    thumbnails: Annotated[
        bool,
        typer.Option(
            "--thumbnails", help="Show the photos themselves on a picture, as many as have room."
        ),
    ] = False,
    images: o.MovedImages = None,
    offline: o.PicturesOffline = False,
    escape_formulas: o.EscapeFormulas = False,
    overwrite: o.Overwrite = False,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Draw rows as points: images that look alike to the network lie together.

    How many of each row's neighbours a map keeps is printed, and stands under it.

    Examples
    --------
    # Coordinates to keep, and a picture of them.
    penult map rows.h5 -o map.csv -o map.png
    # Draw them again, with the photos in place of dots; nothing is computed.
    penult map rows.h5 --coordinates map.csv -o photos.png --thumbnails
    # Colour by what other commands say of the photos, on one page.
    penult map rows.h5 -o m.html --columns clusters.csv --color-by cluster
    # Where test photos fall on a map of the training photos.
    penult map rows.h5 --fit-on train --color-by split -o test.svg
    """
    from penult.tasks.row_map import map

    made = map(
        features,
        output,
        method=method,
        layer=layer,
        metric=metric,
        perplexity=perplexity,
        neighbors=neighbors,
        seed=seed,
        fit_on=fit_on,
        sample=sample,
        coordinates=coordinates,
        columns=columns,
        color_by=color_by,
        thumbnails=thumbnails,
        images=images,
        offline=offline,
        escape_formulas=escape_formulas,
        overwrite=overwrite,
        progress=not quiet,
    )
    if as_json:
        say_json({"outputs": [str(one) for one in output or []], **made.to_dict()})
        return
    say(made.method_line)
    if made.quality_line:
        say(made.quality_line)
    say(made.caution)
    for path in output or []:
        say_path(path)
    if not output:
        of = [] if method == "tsne" else ["--method", method]
        next_command("map", features, "-o", "map.csv", "-o", "map.png", *of, quiet=quiet)

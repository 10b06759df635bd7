"""``penult reduce``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from penult.cli import options as o
from penult.cli.console import next_command, say, say_json
from penult.wording import count, percent


def run(
    features: Annotated[Path, typer.Argument(help="Feature file.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Feature file to write, .h5.")],
    layer: o.OneLayer = None,
    pca: Annotated[
        int, typer.Option(min=1, metavar="NUMBER", help="Numbers that are left of a row.")
    ] = 256,
    whiten: Annotated[
        bool, typer.Option("--whiten", help="Scale each of these numbers to variance one.")
    ] = False,
    fit_on: Annotated[
        Literal["train", "all"] | None,
        typer.Option(
            help="Rows to find the components on: the training part of the file, or all rows.",
            show_default="train where the file has splits",
        ),
    ] = None,
    overwrite: o.Overwrite = False,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Project rows onto their principal components: shorter rows that say nearly the same.

    A classifier that is trained on them projects photos by itself.

    Examples
    --------
    penult reduce rows.h5 -o small.h5 --pca 256
    penult reduce rows.h5 -o small.h5 --pca 64 --whiten
    """
    from penult.combine.reduce import reduce
    from penult.recipe import ProjectedRecipe

    made = reduce(
        features,
        output,
        layer=layer,
        pca=pca,
        whiten=whiten,
        fit_on=fit_on,
        overwrite=overwrite,
        progress=not quiet,
    )
    assert isinstance(made.recipe, ProjectedRecipe)
    assert made.recipe.projection is not None
    projection = made.recipe.projection
    fitted = made.origin["reduced"]
    if as_json:
        say_json(
            {
                "output": str(output),
                "rows": len(made),
                "shape": list(made.features.shape),
                "dtype": str(made.features.dtype),
                "layers": list(made.layers),
                "augmented": 0 if made.augmented is None else len(made.augmented),
                "fit_on": fitted["fit_on"],
                "fit_rows": fitted["rows"],
                "whiten": whiten,
                "explained_variance_ratio": projection.explained_variance_ratio,
                "explained_variance": projection.explained_variance.tolist(),
                "total_variance": projection.total_variance,
            }
        )
        return
    more = "" if made.augmented is None else f" and {count(len(made.augmented), 'augmented row')}"
    width = projection.components.shape[1]
    say(
        f"{output}: {count(len(made), 'row')} of {pca:,}{more} {made.features.dtype}, from "
        f"{width:,} numbers"
    )
    on = "training row" if fitted["fit_on"] == "train" else "row"
    kept = percent(projection.explained_variance_ratio)
    say(f"{kept} of the variance of {count(fitted['rows'], on)} is left")
    if len(made.classes_with_rows) > 1:
        next_command("train", output, "-o", output.with_suffix(".skops"), quiet=quiet)
    else:
        next_command("info", output, quiet=quiet)

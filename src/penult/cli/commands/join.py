"""``penult join``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from penult.cli import options as o
from penult.cli.console import (
    classes_json,
    failures_json,
    next_command,
    say,
    say_failures,
    say_json,
)
from penult.wording import count, times


def run(
    features: Annotated[
        list[Path], typer.Argument(metavar="FEATURES...", help="Feature files, two or more.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Feature file to write, .h5.")],
    layer: Annotated[
        list[str] | None,
        typer.Option(
            "--layer",
            "-l",
            metavar="LAYER",
            help="Set of rows to take of each file that has it; may be given several times, "
            "also to join those of one file.",
            show_default="the last of each file",
        ),
    ] = None,
    weights: Annotated[
        list[float] | None,
        typer.Option(
            "--weight",
            metavar="NUMBER",
            help="How much a set of rows counts; given once for each, in their order.",
            show_default="1 for each",
        ),
    ] = None,
    overwrite: o.Overwrite = False,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Join the rows of several feature files, image by image: one row of all their numbers.

    Each row is scaled to length one first. Rows are matched by the id and the bytes of their image.

    Examples
    --------
    penult join lite0.h5 lite1.h5 -o both.h5
    # The second counts half.
    penult join lite0.h5 lite1.h5 -o both.h5 --weight 1 --weight 0.5
    # Two layers of one file.
    penult join rows.h5 -o both.h5 --layer blocks.6 --layer penultimate
    """
    from penult.combine.join import join

    made = join(
        features,
        output,
        layer=layer,
        weights=weights,
        overwrite=overwrite,
        progress=not quiet,
    )
    joined = made.features
    failures, total = joined.failures, len(joined) + len(joined.failures)
    if as_json:
        say_json(
            {
                "output": str(output),
                "rows": len(joined),
                "shape": list(joined.features.shape),
                "dtype": str(joined.features.dtype),
                "layers": list(joined.layers),
                "classes": classes_json(joined.images_per_class()),
                "failures": failures_json(failures),
                "missing": [{"id": one, "files": list(of)} for one, of in made.missing.items()],
                "changed": list(made.changed),
                "augmented": 0 if joined.augmented is None else len(joined.augmented),
                "views_left_out": made.views_left_out,
            }
        )
        return
    rows = f"{count(len(joined), 'row')} of {times(joined.features.shape[1:])}"
    if joined.augmented is not None:
        rows += f" and {count(len(joined.augmented), 'augmented row')}"
    parts = len(joined.recipe.parts)
    say(f"{output}: {rows} {joined.features.dtype}, joined of {count(parts, 'set')} of rows")
    for line in made.lines:
        say(line)
    say_failures(failures, total=total)
    if len(joined.classes_with_rows) > 1:
        next_command("train", output, "-o", output.with_suffix(".skops"), quiet=quiet)
    else:
        next_command("info", output, quiet=quiet)

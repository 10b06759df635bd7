"""``penult merge``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from penult.cli import options as o
from penult.cli.console import (
    classes_json,
    failures_json,
    next_command,
    say_failures,
    say_json,
)
from penult.cli.made_rows import say_made_rows


def run(
    folders: Annotated[
        list[Path],
        typer.Argument(
            metavar="FOLDER.rows...",
            help="Folders of rows, or their addresses (s3://…/photos.rows); one or more.",
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Feature file to write, .h5.")],
    overwrite: o.Overwrite = False,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Make one feature file of one folder of rows or of several, as one run would have written it.

    Of several folders, as a large listing is divided into runs, the file has the rows of each below
    those of the one before. They have to be extracted with the same options, of different images.
    Of several, some may be feature files.

    Examples
    --------
    penult merge photos.rows -o photos.h5
    penult merge north.rows south.rows -o all.h5
    """
    from penult.combine.merge import merge

    made = merge(folders, output, overwrite=overwrite, progress=not quiet)
    failures, total = made.failures, len(made) + len(made.failures)
    augmented = 0 if made.augmented is None else len(made.augmented)
    if as_json:
        say_json(
            {
                "output": str(output),
                "rows": len(made),
                "shape": list(made.features.shape),
                "dtype": str(made.features.dtype),
                "layers": list(made.layers),
                "classes": classes_json(made.images_per_class()),
                "failures": failures_json(failures),
                "augmented": augmented,
            }
        )
        return
    say_made_rows(str(output), output, made)
    say_failures(failures, total=total)
    if len(made.classes_with_rows) > 1:
        next_command("train", output, "-o", output.with_suffix(".skops"), quiet=quiet)
    else:
        next_command("info", output, quiet=quiet)

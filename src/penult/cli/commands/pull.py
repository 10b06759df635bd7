"""``penult pull``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from penult.cli import options as o
from penult.cli.console import next_command, say, say_json
from penult.wording import count, times


def run(
    address: Annotated[
        str, typer.Argument(help="Table that `penult push` filled, by the same address.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Feature file to write, .h5.")],
    overwrite: o.Overwrite = False,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Write the rows of a table in a database into a feature file, as they were pushed.

    Examples
    --------
    penult pull 'postgresql://me@db/photos?table=flowers' -o flowers.h5
    """
    from penult.tasks.pull import pull

    made = pull(address, output, overwrite=overwrite, progress=not quiet)
    if as_json:
        say_json(
            {
                "output": str(output),
                "rows": made.rows,
                "shape": list(made.shape),
                "layer": made.layer,
                "bytes": made.bytes,
                "address": made.address,
            }
        )
        return
    say(
        f"{output}: {count(made.rows, 'row')} of {times(made.shape)}, layer {made.layer}, "
        f"{made.bytes / 1e6:,.1f} MB, of {made.address}"
    )
    next_command("info", output, quiet=quiet)

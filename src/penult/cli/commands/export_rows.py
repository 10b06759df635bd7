"""``penult export-rows``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from penult.cli import options as o
from penult.cli.console import say, say_json
from penult.wording import count, times


def run(
    features: Annotated[Path, typer.Argument(help="Feature file.")],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="File to write: .csv, .npz or .parquet."),
    ],
    layer: o.OneLayer = None,
    escape_formulas: o.EscapeFormulas = False,
    overwrite: o.Overwrite = False,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Write rows with their ids and labels for other programs: CSV, NumPy's npz or Parquet.

    Examples
    --------
    penult export-rows features.h5 -o rows.csv
    penult export-rows features.h5 -o rows.npz --layer logits
    """
    from penult.tasks.export_rows import export_rows

    made = export_rows(
        features,
        output,
        layer=layer,
        escape_formulas=escape_formulas,
        overwrite=overwrite,
        progress=not quiet,
    )
    if as_json:
        say_json(
            {
                "output": str(output),
                "rows": made.rows,
                "shape": list(made.shape),
                "layer": made.layer,
                "bytes": made.bytes,
            }
        )
        return
    shape = times(made.shape)
    say(
        f"{output}: {count(made.rows, 'row')} of {shape}, layer {made.layer}, "
        f"{made.bytes / 1e6:,.1f} MB"
    )

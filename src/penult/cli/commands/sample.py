"""``penult sample``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from penult.cli import completion
from penult.cli import options as o
from penult.cli.console import next_command, say, say_json
from penult.wording import count


def run(
    name: Annotated[
        str, typer.Argument(help="Which sample: digits.", autocompletion=completion.samples)
    ],
    directory: Annotated[
        Path,
        typer.Argument(metavar="FOLDER", help="Folder to write, with one folder a class in it."),
    ],
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Write a small real image set, for a first try without photos of your own.

    Examples
    --------
    penult sample digits digits
    """
    from penult.tasks.sample import sample

    written = sample(name, directory)
    if as_json:
        say_json({"directory": str(directory), "images": written.images})
        return
    say(f"{directory}: {count(written.images, 'image')}")
    next_command("extract", directory, "-o", f"{directory.name or 'features'}.h5", quiet=quiet)

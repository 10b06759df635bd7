"""``penult move-back``."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from penult.cli import options as o
from penult.cli.console import say, say_json
from penult.wording import count


def run(
    folder: Annotated[Path, typer.Argument(help="Folder that photos were moved to.")],
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Move photos back that 'penult predict --copy-mode move' moved into folders.

    Examples
    --------
    # All that were moved to the folder sorted.
    penult move-back sorted
    """
    from penult.classify.prediction.moves import move_back

    moved = move_back(folder)
    if as_json:
        say_json({"folder": str(folder), **dataclasses.asdict(moved)})
    else:
        are = "is back where it was" if moved.photos == 1 else "are back where they were"
        say(f"{folder}: {count(moved.photos, 'photo')} {are}")
        for failure in moved.failures:
            say(f"  {failure.line}")
    if moved.failures:
        raise typer.Exit(1)

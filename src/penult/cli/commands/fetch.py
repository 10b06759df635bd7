"""``penult fetch``."""

from __future__ import annotations

import dataclasses
from typing import Annotated

import typer

from penult.cli import completion
from penult.cli import options as o
from penult.cli.console import say, say_json
from penult.progress import following


def run(
    models: Annotated[
        list[str],
        typer.Argument(
            metavar="MODEL...",
            autocompletion=completion.models,
            help="Names of networks; `penult models` lists them.",
        ),
    ],
    offline: o.Offline = False,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Download weights ahead of time, and say where they are.

    Weights that are on this machine already are not downloaded again.

    Examples
    --------
    penult fetch resnet50 timm:vit_small_patch16_224
    """
    from penult.tasks.fetch import fetch_each

    with following(False if quiet else None):
        for found in fetch_each(models, offline=offline):
            if as_json:
                say_json({**dataclasses.asdict(found), "path": found.path and str(found.path)})
            elif found.path is None:
                say(f"{found.model}: brings its weights along ({found.weights}); nothing to fetch")
            else:
                say(f"{found.model}: {found.path}, {found.bytes:,} bytes, SHA-256 {found.sha256}")

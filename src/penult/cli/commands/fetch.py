"""``penult fetch``."""

from __future__ import annotations

from typing import Annotated

import typer

from penult.cli import options as o
from penult.cli.console import say, say_json


def run(
    models: Annotated[
        list[str],
        typer.Argument(metavar="MODEL...", help="Backbones; `penult models` lists them."),
    ],
    offline: o.Offline = False,
    as_json: o.AsJson = False,
    debug: o.Debug = False,
) -> None:
    """Download weights ahead of time, and say where they are.

    Weights that are on this machine already are not downloaded again.
    """
    from penult.backbones.registry import open_backbone
    from penult.backbones.weights.choice import WeightsChoice

    for model in models:
        backbone = open_backbone(model, WeightsChoice(offline=offline))
        weights = backbone.weights
        size = weights.path.stat().st_size if weights.path else None
        if as_json:
            say_json(
                {
                    "model": backbone.name,
                    "weights": weights.name,
                    "path": str(weights.path) if weights.path else None,
                    "bytes": size,
                    "sha256": weights.sha256,
                }
            )
        elif weights.path is None or size is None:
            say(f"{backbone.name}: brings its weights along ({weights.name}); nothing to fetch")
        else:
            say(f"{backbone.name}: {weights.path}, {size:,} bytes, SHA-256 {weights.sha256}")

"""``penult export``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from penult.cli import options as o
from penult.cli.console import classes_json, next_step, say, say_json
from penult.progress import following
from penult.wording import count


def run(
    classifier: o.Classifier,
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write, .onnx.")],
    format: Annotated[
        Literal["onnx"],
        o.output_option(help="What to write; onnx: network and classifier in one graph."),
    ] = "onnx",
    weights: o.MovedWeights = None,
    offline: o.Offline = False,
    overwrite: o.Overwrite = False,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Write a classifier and its network as one file that runs without penult.

    Its input is a batch of images, its output the probability of each class.

    Examples
    --------
    penult export flowers.skops -o flowers.onnx
    """
    from penult.classify.export.export import export
    from penult.classify.export.graph import AGREEMENT
    from penult.engines.base import TOLERANCE

    with following(False if quiet else None):
        made = export(
            classifier, output, format=format, weights=weights, offline=offline, overwrite=overwrite
        )
    if as_json:
        say_json(
            {
                "output": str(output),
                "format": format,
                "bytes": made.bytes,
                "inputs": {one.name: list(one.shape) for one in made.inputs},
                "classes": classes_json(made.classes),
                "row_difference": made.row_difference,
                "probability_difference": made.probability_difference,
            }
        )
        return
    say(
        f"{output}: {made.network} and a classifier of {count(len(made.classes), 'class')}, "
        f"{made.bytes / 1e6:,.1f} MB"
    )
    for one in made.inputs:
        crops = f"; its crops: {', '.join(one.places)}" * (len(one.places) > 1)
        say(f"input: {one.name}, uint8 {one.shape_told} RGB{crops}")
    classes = f"(N, {len(made.classes):,})"
    decision = f"labels, bool {classes}" if made.several else "label, int64 (N,)"
    say(f"output: probabilities, float32 {classes}; {decision}")
    say(
        f"tried out: rows differ from penult's in float32 by a relative error of at most "
        f"{made.row_difference:.1g} (allowed: {TOLERANCE:g}), and probabilities of the same rows "
        f"by {made.probability_difference:.1g} ({AGREEMENT:g})"
    )
    next_step(
        "ONNX Runtime runs the file without penult; docs/predict.md has a program for that",
        quiet=quiet,
    )

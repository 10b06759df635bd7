"""``penult export``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from penult.cli import options as o
from penult.cli.console import say, say_json


def run(
    classifier: Annotated[Path, typer.Argument(help="Classifier file (.skops).")],
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write.")],
    format: Annotated[
        Literal["onnx"], typer.Option(help="onnx: the network and the classifier in one graph.")
    ] = "onnx",
    weights: o.MovedWeights = None,
    offline: o.Offline = False,
    overwrite: o.Overwrite = False,
    as_json: o.AsJson = False,
    debug: o.Debug = False,
) -> None:
    """Write a classifier and its network as one file that runs without penult.

    Its input is a batch of images, its output the probability of each class.
    """
    from penult.classify.export.export import export_classifier
    from penult.classify.loading import load_classifier
    from penult.output import check_output

    check_output(output, overwrite=overwrite, inputs=[classifier])
    model = load_classifier(classifier)
    export_classifier(
        model, output, format=format, weights=weights, offline=offline, overwrite=overwrite
    )
    size = output.stat().st_size
    height, width = model.recipe.preprocessing.input_size
    if as_json:
        say_json(
            {
                "output": str(output),
                "format": format,
                "bytes": size,
                "input": [None, height, width, 3],
                "classes": list(model.label_names),
            }
        )
        return
    say(
        f"{output}: {model.recipe.network} and a classifier of {len(model.label_names):,} "
        f"classes, {size / 1e6:,.1f} MB"
    )
    say(f"input: images, uint8 (N, {height}, {width}, 3) RGB")
    classes = f"(N, {len(model.label_names):,})"
    decision = "label, int64 (N,)" if model.thresholds is None else f"labels, bool {classes}"
    say(f"output: probabilities, float32 {classes}; {decision}")

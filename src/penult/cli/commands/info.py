"""``penult info``."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from penult.cli import options as o
from penult.cli.console import (
    Table,
    say,
    say_failures,
    say_json,
    say_listing_messages,
)
from penult.cli.tables import (
    class_table,
    grid_line,
    int8_card,
    layers_table,
    recipe_table,
    say_accuracy,
)
from penult.errors import FileFormatError, PathNotFoundError, UsageError

if TYPE_CHECKING:
    from penult.classify.classifier import Description
    from penult.records import Features


def run(
    file: Annotated[Path, typer.Argument(help="Feature file, classifier file or int8 checkpoint.")],
    as_json: o.AsJson = False,
    debug: o.Debug = False,
) -> None:
    """Say what a feature file, a classifier or an int8 checkpoint holds, and how it was made."""
    if not file.exists():
        raise PathNotFoundError(f"{file}: no such file; give a feature file or a classifier file")
    if file.is_dir():
        raise UsageError(f"{file} is a folder; give a feature file or a classifier file")
    with file.open("rb") as opened:
        zipped = opened.read(2) == b"PK"
    if zipped:
        from penult.classify.loading import describe_classifier

        description = describe_classifier(file)
        if as_json:
            say_json(_classifier_json(description))
        else:
            _show_classifier(file, description)
        return
    from penult.backbones.int8 import is_int8

    if is_int8(file):
        _show_int8(file, as_json=as_json)
        return
    from penult.features.read import load

    features = load(file)
    if as_json:
        say_json(_features_json(features))
    else:
        _show_features(file, features)


def _show_features(file: Path, features: Features) -> None:
    shape = " × ".join(f"{size:,}" for size in features.features.shape)
    say(f"{file}: feature file, {shape} {features.features.dtype}")
    if len(features.layers) > 1:
        say(f"layers: {', '.join(features.layers)}")
    recipe_table(features.recipe)
    counts = _class_counts(features)
    if counts:
        table = Table(("class", "images"), right=("images",))
        for label, count in counts.items():
            table.add_row(label, f"{count:,}")
        table.show()
    unlabelled = len(features) - int((features.labels >= 0).sum())
    if features.targets is not None:
        say("some images have several labels (/targets)")
    elif unlabelled:
        say(f"{unlabelled:,} images have no label")
    if features.splits is not None:
        splits = Counter(split or "none" for split in features.splits)
        say("splits: " + ", ".join(f"{name} {count:,}" for name, count in sorted(splits.items())))
    say_failures(features.failures, total=len(features) + len(features.failures))
    say_listing_messages(features.origin)
    say(f"made from {', '.join(features.origin.get('sources', ['?']))}")


def _show_classifier(file: Path, description: Description) -> None:
    say(f"{file}: classifier of {len(description.label_names):,} classes")
    recipe_table(description.recipe)
    class_table(description.scores)
    layers_table(description.settings.layers, description.recipe.layer)
    say_accuracy(description.scores)
    say(grid_line(description.settings))
    say("made with " + ", ".join(f"{k} {v}" for k, v in description.versions.items()))


def _show_int8(file: Path, *, as_json: bool) -> None:
    from penult.backbones.int8 import read_int8

    checkpoint = read_int8(file)
    layers = [layer.name for layer in checkpoint.graph.layers]
    if as_json:
        architecture = f"int8/{checkpoint.graph.architecture}"
        found = {"kind": "int8", "architecture": architecture, "layers": layers}
        say_json({**found, "sha256": checkpoint.sha256, "card": dict(checkpoint.card)})
        return
    say(f"{file}: int8 checkpoint, a backbone for --model, with the layers {', '.join(layers)}")
    try:
        int8_card(checkpoint.card)
    except (KeyError, TypeError, ValueError) as error:
        raise FileFormatError(f"{file} has a card that cannot be read: {error!r}") from error


def _class_counts(features: Features) -> dict[str, int]:
    if features.targets is not None:
        counts = features.targets.sum(axis=0)
        return {name: int(n) for name, n in zip(features.label_names, counts, strict=True)}
    found = Counter(features.labels.tolist())
    return {name: found[k] for k, name in enumerate(features.label_names)}


def _features_json(features: Features) -> dict[str, Any]:
    return {
        "kind": "features",
        "shape": list(features.features.shape),
        "dtype": str(features.features.dtype),
        "layers": list(features.layers),
        "recipe": json.loads(features.recipe.to_json()),
        "classes": _class_counts(features),
        "failures": [dataclasses.asdict(failure) for failure in features.failures],
        "origin": dict(features.origin),
    }


def _classifier_json(description: Description) -> dict[str, Any]:
    from penult.classify.metrics.scores import scores_to_dict

    return {
        "kind": "classifier",
        "classes": list(description.label_names),
        "recipe": json.loads(description.recipe.to_json()),
        "scores": scores_to_dict(description.scores),
        "settings": description.settings.to_dict(),
        "versions": dict(description.versions),
    }

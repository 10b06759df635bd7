"""``penult info``."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
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
from penult.errors import FileFormatError

if TYPE_CHECKING:
    from penult.tasks.info import ClassifierInfo, FeaturesInfo, Int8Info


def run(
    file: Annotated[
        Path,
        typer.Argument(help="Feature file, classifier file or int8 checkpoint."),
    ],
    as_json: o.AsJson = False,
    debug: o.Debug = False,
) -> None:
    """Say what a feature file, a classifier or an int8 checkpoint holds, and how it was made.

    Examples
    --------
    penult info rows.h5
    penult info flowers.skops --json
    """
    from penult.tasks.info import ClassifierInfo, FeaturesInfo, info

    found = info(file)
    if as_json:
        say_json(_as_json(found))
    elif isinstance(found, FeaturesInfo):
        _show_features(file, found)
    elif isinstance(found, ClassifierInfo):
        _show_classifier(file, found)
    else:
        _show_int8(file, found)


def _show_features(file: Path, found: FeaturesInfo) -> None:
    shape = " × ".join(f"{size:,}" for size in found.shape)
    say(f"{file}: feature file, {shape} {found.dtype}")
    if len(found.layers) > 1:
        say(f"layers: {', '.join(found.layers)}")
    recipe_table(found.recipe)
    if found.classes:
        table = Table(("class", "images"), right=("images",))
        for label, count in found.classes.items():
            table.add_row(label, f"{count:,}")
        table.show()
    if found.several:
        say("some images have several labels (/targets)")
    elif found.unlabelled:
        say(f"{found.unlabelled:,} images have no label")
    if found.splits is not None:
        splits = sorted((name or "none", count) for name, count in found.splits.items())
        say("splits: " + ", ".join(f"{name} {count:,}" for name, count in splits))
    say_failures(found.failures, total=found.shape[0] + len(found.failures))
    say_listing_messages(found.origin)
    say(f"made from {', '.join(found.origin.get('sources', ['?']))}")


def _show_classifier(file: Path, found: ClassifierInfo) -> None:
    say(f"{file}: classifier of {len(found.classes):,} classes")
    recipe_table(found.recipe)
    class_table(found.scores)
    layers_table(found.settings.layers, found.recipe.layer)
    say_accuracy(found.scores)
    say(grid_line(found.settings))
    say("made with " + ", ".join(f"{k} {v}" for k, v in found.versions.items()))


def _show_int8(file: Path, found: Int8Info) -> None:
    layers = ", ".join(found.layers)
    say(f"{file}: int8 checkpoint, a backbone for --model, with the layers {layers}")
    try:
        int8_card(found.card)
    except (KeyError, TypeError, ValueError) as error:
        raise FileFormatError(f"{file} has a card that cannot be read: {error!r}") from error


def _as_json(found: FeaturesInfo | ClassifierInfo | Int8Info) -> dict[str, Any]:
    from penult.classify.metrics.scores import scores_to_dict

    fields = {field.name: getattr(found, field.name) for field in dataclasses.fields(found)}
    convert: dict[str, Callable[[Any], Any]] = {
        "recipe": lambda recipe: json.loads(recipe.to_json()),
        "failures": lambda failures: [dataclasses.asdict(failure) for failure in failures],
        "scores": scores_to_dict,
        "settings": lambda settings: settings.to_dict(),
    }
    return {name: convert.get(name, lambda same: same)(value) for name, value in fields.items()}

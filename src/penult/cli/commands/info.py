"""``penult info``."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from penult.addresses import unfolded
from penult.classify.outcome import runs_line
from penult.cli import options as o
from penult.cli.console import (
    Table,
    classes_json,
    failures_json,
    say,
    say_augmented,
    say_failures,
    say_json,
    say_listing_messages,
    say_some,
    say_trained_network,
    settings_json,
)
from penult.cli.tables import (
    class_table,
    converted_card,
    gallery_likeness_line,
    grid_line,
    int8_card,
    layer_line,
    layers_table,
    likeness_line,
    recipe_table,
    reduction_line,
    say_accuracy,
    strays_line,
)
from penult.errors import FileFormatError
from penult.wording import count, listed, times

if TYPE_CHECKING:
    from penult.tasks.info import ClassifierInfo, ConvertedInfo, FeaturesInfo, IndexInfo, Int8Info

_SHOWN_RUNS = 3  # commands of more are no line to read


def run(
    file: Annotated[
        Path,
        typer.Argument(
            help="Feature file, folder of rows, classifier file, index, or a network that "
            "quantize, convert or finetune wrote."
        ),
    ],
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Say what a feature file, a classifier, an index or a network holds, and how it was made.

    Examples
    --------
    penult info rows.h5
    penult info flowers.skops --json
    penult info vgg16.penult
    """
    from penult.tasks.info import ClassifierInfo, FeaturesInfo, IndexInfo, info

    found = info(file)
    if as_json:
        say_json(_as_json(found))
    elif isinstance(found, FeaturesInfo):
        _show_features(file, found)
    elif isinstance(found, ClassifierInfo):
        _show_classifier(file, found)
    elif isinstance(found, IndexInfo):
        _show_index(file, found)
    else:
        _show_network(file, found)


def _show_features(file: Path, found: FeaturesInfo) -> None:
    from penult.features.origin import every_origin
    from penult.features.places import rows_address
    from penult.reporting.again import merged_again
    from penult.reporting.commands import SHOWN_SOURCES

    shape = times(found.shape)
    kind = "feature file" if rows_address(file) is None else "folder of rows"
    say(f"{unfolded(file)}: {kind}, {shape} {found.dtype}")
    if found.part_words is not None:
        say(found.part_words)
    if len(found.layers) > 1:
        table = Table(("layer", "pooling", "row"), right=("row",))
        for name, recipe, rows in zip(found.layers, found.recipes, found.shapes, strict=True):
            pooling = ", ".join(dict.fromkeys(leaf.pooling for leaf in recipe.leaves))
            table.add_row(name, pooling, times(rows[1:]))
        table.show()
        say(f"below, the last, {found.layers[-1]}:")
    recipe_table(found.recipe)
    if found.classes:
        table = Table(("class", "images"), right=("images",))
        for label, images in found.classes.items():
            table.add_row(label, f"{images:,}")
        table.show()
    if found.augmentation is not None:
        say_augmented(found.augmented, found.augmentation)
    if found.several:
        say("some images have several labels (/targets)")
    elif found.unlabelled:
        have = "has" if found.unlabelled == 1 else "have"
        say(f"{count(found.unlabelled, 'image')} {have} no label")
    if found.splits is not None:
        splits = sorted((name or "none", images) for name, images in found.splits.items())
        say("splits: " + ", ".join(f"{name} {images:,}" for name, images in splits))
    say_trained_network(found.trained_network, found.shape[0])
    say_failures(found.failures, total=found.shape[0] + len(found.failures))
    say_some(found.contradictions)
    say_listing_messages(found.origin)
    origins = every_origin(found.origin)
    sources = [str(name) for one in origins for name in one.get("sources", ["?"])]
    say(f"made from {listed(sources, SHOWN_SOURCES)}")
    commands = merged_again(
        found.recipes,
        found.layers,
        found.origin,
        output=file.name,
        dtype=found.dtype,
        poolings=[leaf.pooling for recipe in found.recipes for leaf in recipe.leaves],
        maps=any(len(shape) > 2 for shape in found.shapes),
        part_images=found.part_images,
        part_format=found.part_format,
    )
    if commands and len(origins) <= _SHOWN_RUNS:
        say(f"made again by: {' && '.join(commands)}")
        # Of several commands, the last would fail after the work of the others where the file is.
        joined = (name for one in origins for name in one.get("joined", {}).get("files", ()))
        if read := list(dict.fromkeys(map(str, joined))):
            where = _where(read)
            if len(commands) > 1:
                where += f"; if {file.name} is there, choose another name, since it is not replaced"
            say(where)
        elif len(commands) > 1:
            say(f"to be typed in another folder than that of {file.name}, which is not replaced")
        for one in origins:
            if "-" in one.get("sources", ()):
                say(f"LIST is a file with the paths that were piped, in {one.get('folder', '?')}")
    elif commands:
        say(
            f"made by: penult merge, of {len(origins):,} runs; its origin, which --json shows, "
            "says of each where its images were"
        )
    else:
        say("made again by: not known; its recipe, above, says of what it is made")


def _show_classifier(file: Path, found: ClassifierInfo) -> None:
    from penult.reporting.commands import train_command

    say(f"{file}: classifier of {count(len(found.classes), 'class')}")
    recipe_table(found.recipe)
    class_table(found.scores)
    layers_table(found.settings, found.layer)
    say_accuracy(found.scores, seen=bool(found.settings.trained_network))
    if line := found.settings.network_line:
        say(line)
    if line := layer_line(found.settings, found.layer):
        say(line)
    say(grid_line(found.settings))
    if line := reduction_line(found.settings):
        say(line)
    say(likeness_line(found.likeness, found.scores.images))
    if line := strays_line(found.likeness):
        say(line)
    if line := runs_line(found.settings):
        say(line)
    if found.settings.folds:  # the head of a fine-tuned network is made together with that
        command = train_command(found.settings, found.layer, output=file.name)
        say(f"made again by: {command}")
    if files := [f for f in (found.settings.features, found.settings.test_features) if f]:
        say(_where(files))
    say("made with " + ", ".join(f"{k} {v}" for k, v in found.versions.items()))


def _where(files: Sequence[str]) -> str:
    names = " and ".join(files) if len(files) == 2 else listed(files)
    return f"to be typed where {names} {'is' if len(files) == 1 else 'are'}"


def _show_index(file: Path, found: IndexInfo) -> None:
    how = f"{found.searched_by}, {found.metric}"
    say(f"{file}: index, {times(found.shape)} {found.dtype}, {how}")
    if found.recipe is not None:
        recipe_table(found.recipe)
    if found.classes:
        table = Table(("class", "images"), right=("images",))
        for label, images in found.classes.items():
            table.add_row(label, f"{images:,}")
        table.show()
    for line in found.lines:
        say(line)
    if found.likeness is not None:
        say(gallery_likeness_line(found.likeness))
    if found.rows_removed:
        were = "was" if found.rows_removed == 1 else "were"
        say(f"{count(found.rows_removed, 'row')} {were} removed")


def _show_network(file: Path, found: Int8Info | ConvertedInfo) -> None:
    what = "int8 checkpoint" if found.kind == "int8" else "converted network"
    with_layers = f"with the layers {listed(found.layers, 20)}"
    say(f"{file}: {what}, a backbone for --model, {with_layers}")
    try:
        (int8_card if found.kind == "int8" else converted_card)(found.card)
    except (KeyError, TypeError, ValueError) as error:
        raise FileFormatError(f"{file} has a card that cannot be read: {error!r}") from error


def _as_json(
    found: FeaturesInfo | ClassifierInfo | IndexInfo | Int8Info | ConvertedInfo,
) -> dict[str, Any]:
    from penult.classify.metrics.scores import scores_to_dict

    fields = {field.name: getattr(found, field.name) for field in dataclasses.fields(found)}
    convert: dict[str, Callable[[Any], Any]] = {
        "recipe": lambda recipe: recipe and json.loads(recipe.to_json()),
        "recipes": lambda recipes: [json.loads(recipe.to_json()) for recipe in recipes],
        "classes": classes_json,
        "failures": failures_json,
        "scores": scores_to_dict,
        "settings": settings_json,
        "likeness": lambda likeness: likeness and likeness.to_dict(),
    }
    return {name: convert.get(name, lambda same: same)(value) for name, value in fields.items()}

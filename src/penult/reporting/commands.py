"""What to type to get features, a classifier and predictions again."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

from penult.backbones.registry import as_recorded
from penult.backbones.weights.choice import WeightsChoice
from penult.classify.classifier import Classifier
from penult.classify.settings import TrainingSettings
from penult.errors import WeightsError
from penult.finetuning.training_photos import TrainingPhotos
from penult.interface import as_argument, shell_quote
from penult.recipe import AveragedRecipe, BackboneRecipe, JoinedRecipe, Recipe
from penult.records import Features

__all__ = [
    "CLASSIFIER",
    "CORRECTED",
    "FEATURES",
    "SHOWN_SOURCES",
    "applied_commands",
    "collection_commands",
    "commands_of",
    "extract_command",
    "finetune_command",
    "recorded_name",
    "shown_sources",
    "train_command",
    "typed",
    "typed_option",
]

FEATURES = "features.h5"
CLASSIFIER = "classifier.skops"
CORRECTED = "corrected.csv"  # the labels that were put right

SHOWN_SOURCES = 5
"""Of more, a command has a word in their place, and a text the first few."""


def commands_of(
    sources: Sequence[str | Path],
    file: Path | None,
    features: Features,
    classifier: Classifier,
    recipes: Sequence[Recipe] = (),
) -> tuple[str, ...]:
    """What to type to get a report's files, and predictions, again; `recipes` are of all rows."""
    made = recipes or [features.recipe]
    return (
        *(
            [extract_command(made, features.layers, features.origin, sources=sources)]
            if file is None
            else []
        ),
        train_command(
            classifier.settings, features.name, str(file or FEATURES), every=features.layers
        ),
        typed("predict", CLASSIFIER, "PHOTO_OR_FOLDER"),
    )


def collection_commands(
    sources: Sequence[str | Path],
    file: Path | None,
    features: Features,
    recipes: Sequence[Recipe] = (),
) -> tuple[str, ...]:
    """What to type to get rows without labels again, and what else a page shows of them."""
    rows = as_argument(str(file or FEATURES))
    made = recipes or [features.recipe]
    again = extract_command(made, features.layers, features.origin, sources=sources)
    layer = _repeated("layer", [features.name] if len(features.layers) > 1 else [])
    return (
        *([again] if file is None else []),
        typed("map", rows, "-o", "map.html", *layer, "--overwrite"),
        typed("cluster", rows, "-o", "clusters.html", *layer, "--overwrite"),
        typed("outliers", rows, "-o", "outliers.html", *layer, "--overwrite"),
        typed("duplicates", rows, "-o", "duplicates.html", *layer, "--overwrite"),
    )


def applied_commands(
    sources: Sequence[str | Path], file: Path | None, classifier: Path, *, scored: bool
) -> tuple[str, ...]:
    """What to type to get the predictions, and the scores, of a classifier again."""
    given = [as_argument(str(classifier)), *shown_sources(sources)]
    predict = [] if file else [typed("predict", *given, "-o", "predictions.csv")]
    evaluate = typed("evaluate", *given, "--results", "scores")
    return (*predict, *([evaluate] if scored else []))


def finetune_command(
    folder: Path,
    photos: TrainingPhotos,
    *,
    sources: Sequence[str | Path] = (),
    labels: str | None = None,
) -> str:
    """What to type to get a fine-tuned network again.

    Parameters
    ----------
    folder : of the network
    photos : what it keeps of them, and of what was asked for
    sources : where they are now, if not where they were
    labels : a table of other labels, with which the network is to be replaced
    """
    given = shown_sources(sources or photos.sources or ["PHOTOS"])
    listing = {name: told for name, told in photos.listing.items() if told is not None}
    if labels is not None:
        listing = {"labels": labels, "splits": listing.get("splits", "auto")}
    elif "label_pattern" in listing:
        listing.pop("labels", None)
    usual = {"labels": "parent", "splits": "auto"}
    asked = {name: told for name, told in listing.items() if told != usual.get(name)}
    words = [word for one in {**asked, **photos.asked}.items() for word in typed_option(*one)]
    again = [] if labels is None else ["--overwrite"]
    return typed("finetune", *given, "-o", str(folder), *words, *again)


def extract_command(
    recipes: Sequence[Recipe],
    layers: Sequence[str],
    origin: Mapping[str, Any],
    *,
    sources: Sequence[str | Path] = (),
    output: str = FEATURES,
    dtype: str = "float32",
    poolings: Sequence[str] = (),
    maps: bool = False,
) -> str:
    """What to type to get a feature file again, wherever that is done: its inputs are absolute.

    Parameters
    ----------
    recipes : of all of its rows, or of some where they are rows of one network; the last has the
        options
    layers : the names of all of its rows
    origin : as `Features` has it
    sources : as they were typed, in place of those that the origin names; a table of labels is
        then typed as they were
    output : the file
    dtype : of its rows
    poolings : of all of its layers, where they are at hand
    maps : whether rows of one are whole maps or tokens
    """
    leaves = tuple(leaf for recipe in recipes for leaf in recipe.leaves)
    nodes = [node for recipe in recipes for node in recipe.walk()]
    leaf = leaves[-1]
    models, weights = zip(*dict.fromkeys(recorded_name(one, output) for one in leaves), strict=True)
    views = next((one.views for one in nodes if isinstance(one, AveragedRecipe)), None)
    joined = any(isinstance(one, JoinedRecipe) for one in nodes)
    given = shown_sources(sources or origin.get("sources", ["IMAGES"]))
    words = ["extract", *given, "-o", output]
    words += _repeated("model", models)
    if len(models) > 1 or joined:  # the rows have other names
        layers = [one.layer for one in leaves]
    if {*layers} != {"penultimate"}:
        words += _repeated("layer", tuple(dict.fromkeys(layers)))
    labels, pattern = origin.get("labels") or "parent", origin.get("label_pattern")
    if sources and not any(Path(source).is_absolute() for source in sources):
        labels = os.path.relpath(labels) if Path(labels).is_absolute() else labels
    splits, shuffle = origin.get("splits") or "auto", origin.get("shuffle")
    max_pixels = origin.get("max_pixels")
    augment, augment_to = origin.get("augment"), origin.get("augment_to")
    policy, seed = origin.get("augment_policy"), origin.get("augment_seed")
    # One is for all layers that have something to pool; where each had its own, none was given.
    pooled = {leaf.pooling, *poolings} - {"none"}
    only_ends = {*layers} <= {"penultimate", "logits"}
    for name, value, wanted in (
        (
            "pooling",
            next(iter(pooled), "none"),
            len(pooled) < 2 and (maps or (pooled and not only_ends)),
        ),
        ("normalize", leaf.normalize, leaf.normalize != "none"),
        ("views", views, views is not None),
        ("weights", weights[0], weights[0] is not None),
        ("labels", labels, labels != "parent" and pattern is None),
        ("label-pattern", pattern, pattern is not None),
        *(
            (f"{kind}-column", name := origin.get(f"{kind}_column"), name)
            for kind in ("path", "label")
        ),
        ("splits", splits, splits != "auto"),
        ("decode", leaf.preprocessing.decode, leaf.preprocessing.decode != "exact"),
        ("resize", leaf.preprocessing.resampling, leaf.preprocessing.resampling != "exact"),
        ("precision", leaf.precision, leaf.precision != "float32"),
        ("dtype", dtype, dtype != "float32"),
        ("max-pixels", max_pixels, max_pixels is not None),
        ("shuffle", shuffle, shuffle is not None),
        ("augment", augment, augment),
        ("augment-to", augment_to, augment_to is not None),
        ("augment-policy", policy, policy is not None and policy != "light"),
        ("seed", seed, seed),
    ):
        if wanted:
            words += [f"--{name}", str(value)]
    if joined != (len(models) > 1):  # what several networks are by default
        words += ["--join" if joined else "--no-join"]
    words += ["--allow-truncated"] * bool(origin.get("allow_truncated"))
    return typed(*words)


def recorded_name(leaf: BackboneRecipe, output: str) -> tuple[str, object]:
    """The name of a network to type, and its weights, if they are not its own."""
    try:
        model, choice = as_recorded(leaf, output, WeightsChoice())
    except WeightsError:  # the file has moved; its name is told all the same
        weights = leaf.weights.removeprefix("file:")
        is_its_own = weights == leaf.backbone.removeprefix("checkpoint:")
        return leaf.backbone, None if is_its_own else Path(weights)
    return model, choice.weights


def train_command(
    settings: TrainingSettings,
    layer: str,
    features: str = "",
    output: str = CLASSIFIER,
    *,
    every: Sequence[str] = (),
) -> str:
    """What to type to get a classifier again, in the folder of the feature files.

    A classifier's file is handed on, and knows them by their names alone.

    Parameters
    ----------
    settings : how it was trained
    layer : that it was trained on
    features : the feature file, where it is not named as it was
    output : its file
    every : all layers of the feature file, where that is at hand
    """
    words = ["train", as_argument(features or settings.features or FEATURES), "-o", output]
    words += ["--seed", str(settings.seed)]
    tried = [result.layer for result in settings.layers] or [layer]
    every = every or settings.file_layers  # none where the file has one
    if len(every) > 1 and len(tried) == len(every):
        tried = ["all"]
    if len(every) > 1 or (not every and tried != ["penultimate"]):
        words += _repeated("layer", tried)
    if settings.test_features:
        words += ["--test-features", settings.test_features]
    if settings.options is None:  # a file of before they were kept
        kinds = list(dict.fromkeys(result.classifier for result in settings.grid))
        given = {"classifier": kinds} if kinds != ["logistic"] else {}
    else:
        given = settings.options.changed()
        given.pop("seed", None)
    for name, value in given.items():
        words += typed_option(name, value)
    return typed(*words)


def shown_sources(sources: Sequence[str | Path]) -> list[str]:
    """Return sources as they are typed, or a word in the place of many."""
    return (
        ["IMAGES"] if len(sources) > SHOWN_SOURCES else [as_argument(str(one)) for one in sources]
    )


def typed_option(name: str, value: Any) -> list[str]:
    """Return the words of an option, which is named as an argument is."""
    name = name.replace("_", "-")
    if isinstance(value, bool):
        return [f"--{name}" if value else f"--no-{name}"]
    if isinstance(value, Mapping):
        return _repeated(name, [f"{k}={','.join(map(str, v))}" for k, v in value.items()])
    if isinstance(value, Sequence) and not isinstance(value, str):
        return _repeated(name, value)
    return [f"--{name}", str(value)]


def _repeated(name: str, values: Sequence[Any]) -> list[str]:
    return [word for value in values for word in (f"--{name}", str(value))]


def typed(*words: str) -> str:
    """Return a command of penult, with its words quoted.

    One that reads a list from standard input waits for it, unless that is said.
    """
    given = takewhile(lambda word: word == "-" or word[:1] != "-", words)
    piped = " < LIST" if "-" in given else ""
    return f"penult {' '.join(map(shell_quote, words))}{piped}"

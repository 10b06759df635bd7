"""What to type to get a report's features, classifier and predictions again."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from penult.backbones.registry import as_recorded
from penult.backbones.weights.choice import WeightsChoice
from penult.classify.classifier import Classifier
from penult.records import Features

__all__ = ["CLASSIFIER", "FEATURES", "commands_of"]

FEATURES = "features.h5"
CLASSIFIER = "classifier.skops"


def commands_of(
    sources: Sequence[str | Path], file: Path | None, features: Features, classifier: Classifier
) -> tuple[str, ...]:
    """What to type to get the same again."""
    recipe, origin, settings = features.recipe, features.origin, classifier.settings
    extract = []
    if file is None:
        name, choice = as_recorded(recipe, "the report", WeightsChoice())
        extract += ["extract", *map(str, sources), "-o", FEATURES, "--model", name]
        if features.layers != ("penultimate",):
            extract += [word for layer in features.layers for word in ("--layer", layer)]
        if choice.weights is not None:
            extract += ["--weights", str(choice.weights)]
        if origin["label_pattern"] is not None:
            extract += ["--label-pattern", origin["label_pattern"]]
        elif origin["labels"] != "parent":
            extract += ["--labels", origin["labels"]]
        if origin["splits"] != "auto":
            extract += ["--splits", origin["splits"]]
    train = ["train", str(file or FEATURES), "-o", CLASSIFIER, "--seed", str(settings.seed)]
    if len(features.layers) > 1:
        tried = [result.layer for result in settings.layers] or [recipe.layer]
        every = len(tried) == len(features.layers)
        train += [word for name in (["all"] if every else tried) for word in ("--layer", name)]
    kinds = list(dict.fromkeys(result.classifier for result in settings.grid))
    if kinds != ["logistic"]:
        train += [word for kind in kinds for word in ("--classifier", kind)]
    predict = ["predict", CLASSIFIER, "PHOTO_OR_FOLDER"]
    return tuple(f"penult {shlex.join(words)}" for words in (extract, train, predict) if words)

"""``penult evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from penult.cli import options as o
from penult.cli.console import progress, say, say_failures, say_json
from penult.cli.tables import class_table, scores_line, scores_table

if TYPE_CHECKING:
    from penult.classify.model import Classifier
    from penult.records import Features


def run(
    classifier: Annotated[Path, typer.Argument(help="Classifier file (.skops).")],
    data: Annotated[
        list[str],
        typer.Argument(
            metavar="FEATURES|IMAGES", help="A feature file, or images with their labels."
        ),
    ],
    labels: o.Labels = "parent",
    label_pattern: o.LabelPattern = None,
    engine: o.Engine = "auto",
    device: o.Device = "auto",
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Score a classifier on other labelled images, or on a feature file of them.

    Labels that it has never seen are reported apart.
    """
    from penult.classify.evaluate import evaluate
    from penult.classify.model import load_classifier
    from penult.classify.scores import scores_to_dict

    model = load_classifier(classifier)
    if len(data) == 1 and _is_feature_file(Path(data[0])):
        from penult.features.read import load

        features = load(data[0])
        model.require_recipe(features.recipe, other_is=str(data[0]))
    else:
        with progress("extract", quiet=quiet) as on_progress:
            features = _extract(
                model,
                data,
                labels=labels,
                label_pattern=label_pattern,
                engine=engine,
                device=device,
                on_progress=on_progress,
            )
    result = evaluate(model, features)
    if as_json:
        say_json(
            {
                "scores": scores_to_dict(result.scores),
                "unseen_labels": dict(result.unseen_labels),
                "unlabelled": result.unlabelled,
                "failures": [{"id": f.id, "reason": f.reason} for f in features.failures],
            }
        )
        return
    class_table(result.scores)
    scores_table(result.scores)
    say(scores_line(result.scores))
    for label, count in result.unseen_labels.items():
        say(f"never seen in training, and in no score: {label}, {count:,} images")
    if result.unlabelled:
        say(f"{result.unlabelled:,} images have no label")
    say_failures(features.failures, total=len(features) + len(features.failures))


def _is_feature_file(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(8) == b"\x89HDF\r\n\x1a\n"
    except OSError:
        return False  # a folder, or no such path: the listing says which


def _extract(model: Classifier, images: list[str], **options: Any) -> Features:
    """Make the rows of labelled images, with the classifier's own recipe."""
    from penult.extraction import extract

    recipe = model.recipe
    options |= {
        "model": recipe.backbone,
        "layer": recipe.layer,
        "pool": recipe.pooling,
        "normalize": recipe.normalize,
        "decode": recipe.preprocessing.decode,
    }
    if recipe.weights == "random" or recipe.weights.startswith("file:"):
        options["weights"] = recipe.weights.removeprefix("file:")
    features = extract(images, **options)
    model.require_recipe(features.recipe, other_is=f"{recipe.backbone} on this machine")
    return features

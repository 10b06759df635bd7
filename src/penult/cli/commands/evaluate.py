"""``penult evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from penult.cli import options as o
from penult.cli.console import say, say_failures, say_json, say_listing_messages
from penult.cli.progress import progress
from penult.cli.tables import class_table, say_accuracy, scores_table


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
    splits: o.Splits = "auto",
    weights: o.MovedWeights = None,
    offline: o.Offline = False,
    engine: o.Engine = "auto",
    device: o.Device = "auto",
    results: o.Results = None,
    confusion: o.Confusion = "counts",
    overwrite: o.Overwrite = False,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Score a classifier on other labelled images, or on a feature file of them.

    If some of them trained it, the others are scored by themselves as well. Labels that it has
    never seen are reported apart.
    """
    from penult.classify.evaluation.evaluate import evaluate, load_rows_for
    from penult.classify.loading import load_classifier
    from penult.classify.metrics.scores import scores_to_dict
    from penult.features.schema import is_feature_file
    from penult.images.notes import listing_notes

    if results is not None:
        from penult.reporting.results import check_results, write_results

        check_results(results, overwrite=overwrite)
    model = load_classifier(classifier)
    from_file = len(data) == 1 and is_feature_file(Path(data[0]))
    if from_file:
        features = load_rows_for(model, data[0])
        model.require_recipe(features.recipe, other_name=data[0])
    else:
        from penult.backbones.weights.choice import WeightsChoice
        from penult.extraction import Extraction
        from penult.extractor import EngineOptions, ExtractorSpec, RecipeRows
        from penult.images.listing_options import ListingOptions

        extraction = Extraction(
            extractor=ExtractorSpec(
                rows=RecipeRows((model.recipe,), str(classifier)),
                weights=WeightsChoice.of(weights, offline=offline),
                engine=EngineOptions(engine=engine, device=device),
            ),
            listing=ListingOptions(labels=labels, label_pattern=label_pattern, splits=splits),
        )
        with progress("extract", quiet=quiet) as on_progress:
            features = extraction.to_memory(data, on_progress=on_progress)
    notes = {} if from_file else listing_notes(features.origin)
    found = evaluate(model, features, split=f"all of {', '.join(data)}")
    apart = {
        "trained": found.trained,
        "apart": None if found.apart is None else scores_to_dict(found.apart),
    }
    written = []
    if results is not None:
        written = write_results(
            results,
            found.scores,
            normalize=confusion == "normalized",
            also=apart,
            overwrite=overwrite,
        )
    if as_json:
        say_json(
            {
                "scores": scores_to_dict(found.scores),
                **apart,
                "unseen_labels": dict(found.unseen_labels),
                "unlabelled": found.unlabelled,
                "failures": [{"id": f.id, "reason": f.reason} for f in features.failures],
                **notes,
                "results": [str(path) for path in written],
            }
        )
        return
    class_table(found.scores)
    scores_table(found.scores)
    say_accuracy(found.scores)
    if found.trained is None:
        which = "its file has" if model.trained_on is None else "these features have"
        say(f"whether they trained this classifier is not known: {which} no digests of the images")
    elif found.trained:
        some = "all" if found.apart is None else f"{found.trained:,}"
        say(
            f"{some} of these {found.scores.images:,} images trained this classifier: that "
            "accuracy is no estimate for new ones"
        )
    if found.apart is not None:
        say_accuracy(found.apart)
    for label, count in found.unseen_labels.items():
        say(f"never seen in training, and in no score: {label}, {count:,} images")
    if found.unlabelled:
        # To a classifier of one class an image, several labels are none.
        label = "single label" if features.targets is not None else "label"
        say(f"{found.unlabelled:,} images have no {label}")
    say_failures(features.failures, total=len(features) + len(features.failures))
    say_listing_messages({} if from_file else features.origin)
    for path in written:
        say(str(path))

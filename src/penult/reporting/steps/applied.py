"""A classifier that was given, applied to the rows of a report, and scored where it can be."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from penult.classify.classifier import Classifier
from penult.classify.evaluation.evaluate import evaluate, load_rows_for
from penult.classify.evaluation.result import Evaluation
from penult.classify.evaluation.seen import is_seen
from penult.classify.prediction.table import to_file
from penult.partition.rows import read_blocks
from penult.records import Failure, Features, HeldOut, Prediction, Predictions, Progress
from penult.reporting.classified import Classified
from penult.reporting.misclassified import select
from penult.reporting.steps.course import Course
from penult.wording import count

__all__ = ["apply_classifier"]


def apply_classifier(
    classifier: Classifier,
    path: Path,
    course: Course,
    *,
    save_as: Path,
    called: Path,
    escape_formulas: bool,
) -> Classified:
    """Predict every row's class, and score what has a label that the classifier knows.

    Parameters
    ----------
    classifier : as it was given
    path : of the feature file
    course : of the report
    save_as : the table of predictions
    called : what a message calls the feature file
    escape_formulas : as for `penult.predict`

    Raises
    ------
    RecipeMismatchError
        If the rows of the file were made otherwise.
    """
    features = load_rows_for(classifier, path)
    classifier.require_recipe(features.recipe, other_name=str(called))
    with course.timed("predict"):
        predictions = _predict(classifier, features, course)
        _write(predictions, save_as, classifier, escape_formulas=escape_formulas)
    seen = _seen(features, classifier)
    found = Classified(features=features, classifier=classifier, predictions=predictions, seen=seen)
    if features.labelled:
        with course.noted("scores", "score"):
            split = f"all of {count(features.labelled, 'labelled image')}"
            evaluation = evaluate(classifier, features, split=split)
            scores = evaluation.apart or evaluation.scores
            held_out = _new_ones(evaluation, seen)
            return replace(
                found, evaluation=evaluation, scores=scores, held_out=held_out, runs=[held_out]
            )
    return found


def _predict(classifier: Classifier, features: Features, course: Course) -> Predictions:
    made: list[Prediction] = []
    total = len(features)
    # Of several labels an image, each has a probability of its own, which the page shows.
    top = 1 if classifier.thresholds is None else len(classifier.label_names)
    for part, block in read_blocks(features, np.arange(total)):
        ids = [str(one) for one in features.ids[part]]
        probabilities = classifier.predict_features(block)
        similarity = classifier.similarity(block)
        made += classifier.predictions(ids, probabilities, similarity=similarity, top=top)
        course.tell(Progress(len(made), total, 0, stage="predict", unit="rows"))
    return Predictions(made, features.failures)


def _write(
    predictions: Predictions, path: Path, classifier: Classifier, *, escape_formulas: bool
) -> None:
    with to_file(
        path,
        overwrite=True,
        top=1,
        several=classifier.thresholds is not None,
        copies=False,
        escape_formulas=escape_formulas,
    ) as write:
        # Images are listed in the order of their ids, those that could not be read among them.
        outcomes: list[Iterable[Prediction | Failure]] = [predictions, predictions.failures]
        for one in heapq.merge(*outcomes, key=lambda outcome: outcome.id):
            write(one if isinstance(one, Failure) else replace(one, top=one.top[:1]))


def _seen(features: Features, classifier: Classifier) -> frozenset[str] | None:
    """Ids of the images that trained it; None where that cannot be known."""
    seen = is_seen(features, np.arange(len(features)), classifier.trained_on)
    if seen is None:
        return None
    return frozenset(str(features.ids[k]) for k in np.flatnonzero(seen).tolist())


def _new_ones(evaluation: Evaluation, seen: frozenset[str] | None) -> HeldOut:
    """Of the images that were scored, those that did not train it, where there are any."""
    images = evaluation.images
    if seen is None or evaluation.apart is None:
        return images
    return select(images, lambda one: one not in seen)

"""A fine-tuned network's head, with the test photos that it was scored on among the rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from penult.classify.classifier import Classifier
from penult.classify.diagnosis.label_errors import LabelIssue, likely_errors
from penult.classify.evaluation.evaluate import load_rows_for
from penult.errors import UsageError
from penult.finetuning.training_photos import TrainingPhotos
from penult.partition.rows import read_rows
from penult.partition.splits import Split
from penult.records import Features, HeldOut
from penult.reporting.classified import Classified
from penult.reporting.steps.course import Course
from penult.wording import count

__all__ = ["find_tested"]


def find_tested(
    classifier: Classifier,
    photos: TrainingPhotos,
    path: Path,
    course: Course,
    *,
    folder: Path,
    called: Path,
    label_errors: bool,
) -> Classified:
    """Find the photos of each part, with what the head said of those that tested it.

    Scores and predictions are those that were made once, at the end of the fine-tuning.

    Parameters
    ----------
    classifier : its head
    photos : which photos are in which part
    path : of the feature file
    course : of the report; notes it where test photos are gone
    folder : what a message calls the fine-tuned network
    called : what a message calls the feature file
    label_errors : whether labels that look wrong are looked for, among the test photos: rows of
        the others were made by a network that has learnt their labels

    Raises
    ------
    RecipeMismatchError
        If the rows of the file were made otherwise.
    UsageError
        If there is no test photo.
    """
    features = load_rows_for(classifier, path)
    classifier.require_recipe(features.recipe, other_name=str(called))
    places = _Places(features)
    tested = places.of(photos.test)
    if not tested:
        raise UsageError(
            f"none of the {count(len(photos.test), 'test photo')} of {folder} is among these; give "
            "the photos that it was fine-tuned on"
        )
    held_out = classifier.held_out
    held_out = replace(
        held_out,
        ids=tuple(str(features.ids[tested[one]]) if one in tested else one for one in held_out.ids),
    )
    gone = len(photos.test) - len(tested)
    notes = []
    if gone:
        notes.append(
            f"{gone:,} of {len(photos.test):,} are gone, or are no longer the same; they count in "
            "the scores, and have no picture"
        )
    if relabelled := _relabelled(features, held_out):
        notes.append(
            f"{relabelled:,} of {len(tested):,} have another label now than the one that they are "
            "scored by, which they had then"
        )
    if notes:
        course.notes["finetuning"] = "; ".join(notes)
    learnt = {**places.of(photos.train), **places.of(photos.validation)}
    issues: tuple[LabelIssue, ...] | None = None
    if label_errors:
        with course.noted("labels", "label errors"):
            issues = _label_issues(classifier, features, held_out)
    return Classified(
        features=features,
        classifier=classifier,
        scores=classifier.scores,
        held_out=held_out,
        runs=[held_out],
        split=Split(
            train=np.unique(np.fromiter(learnt.values(), np.int64)),
            held_out=np.unique(np.fromiter(tested.values(), np.int64)),
            description=classifier.scores.split,
            left_out={},
        ),
        label_issues=issues,
    )


class _Places:
    """Rows of photos that may lie under other names by now."""

    def __init__(self, features: Features) -> None:
        ids = list(map(str, features.ids))
        self._content = [""] * len(ids) if features.content is None else [*features.content]
        self._by_id = {one: k for k, one in enumerate(ids)}
        self._by_content = {one: k for k, one in enumerate(self._content) if one}

    def of(self, part: Mapping[str, str]) -> dict[str, int]:
        """Id to row number, of those that are there with the bytes that they had."""
        found = {}
        for one, digest in part.items():
            place = self._by_id.get(one)
            if place is None or (digest and self._content[place] not in ("", digest)):
                place = self._by_content.get(digest)
            if place is not None:
                found[one] = place
        return found


def _relabelled(features: Features, held_out: HeldOut) -> int:
    """How many test photos have another label now; of several labels, or none, it is not told."""
    if features.targets is not None:
        return 0
    now = {
        str(one): features.label_names[label]
        for one, label in zip(features.ids, features.labels.tolist(), strict=True)
        if label >= 0
    }
    then = zip(held_out.ids, held_out.truth, strict=True)
    return sum(now.get(one, truth) != truth for one, truth in then)


def _label_issues(
    classifier: Classifier, features: Features, held_out: HeldOut
) -> tuple[LabelIssue, ...]:
    """Judge the labels of the test photos by the head, which has not seen them."""
    if classifier.thresholds is not None:
        raise UsageError("an image may have several labels")
    names = classifier.label_names
    numbers = {name: k for k, name in enumerate(names)}
    truth = dict(zip(held_out.ids, held_out.truth, strict=True))
    rows = np.array([k for k, one in enumerate(features.ids) if str(one) in truth], np.int64)
    labels = np.array([numbers[truth[str(features.ids[k])]] for k in rows.tolist()], np.int64)
    probabilities = classifier.predict_features(read_rows(features, rows))
    wrong, suggested = likely_errors(labels, probabilities)
    return tuple(
        LabelIssue(
            str(features.ids[rows[i]]),
            names[labels[i]],
            names[suggested[i]],
            float(probabilities[i, labels[i]]),
            float(probabilities[i, suggested[i]]),
        )
        for i in wrong.tolist()
    )

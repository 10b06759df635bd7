"""How a classifier does on labelled rows; those that trained it are told apart."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from penult.classify.classifier import Classifier
from penult.classify.evaluation.multilabel import evaluate_labels
from penult.classify.evaluation.result import Evaluation, score_apart
from penult.classify.evaluation.seen import trained_any
from penult.classify.loading import as_classifier
from penult.classify.metrics.probability_sums import ProbabilitySums
from penult.classify.metrics.scores import score
from penult.classify.pipeline import Applicable, class_probabilities
from penult.errors import UsageError
from penult.features.read import load_of_recipe
from penult.likeness import Likeness
from penult.partition.rows import read_blocks
from penult.progress import Tell
from penult.records import Features, HeldOut, Progress, Scores
from penult.texts import positions

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["evaluate", "evaluate_pipeline", "load_rows_for"]


def _nobody(_progress: Progress) -> None:
    pass


def evaluate(
    classifier: Classifier | str | Path,
    features: Features | str | Path,
    *,
    split: str | None = None,
    tell: Tell = _nobody,
) -> Evaluation:
    """Score a classifier on labelled rows; those that did not train it also by themselves.

    Parameters
    ----------
    classifier : Classifier or path
        The classifier, or its file.
    features : Features or path
        Rows made with the classifier's recipe; or the file that holds them, perhaps beside those
        of other layers.
    split : str, optional
        What the scores call these rows.
    tell : callable, optional
        Told of rows.

    Returns
    -------
    Evaluation
        The scores, and what was predicted for each image.

    Raises
    ------
    RecipeMismatchError
        If the rows were made otherwise.
    UsageError
        If no row has a label that the classifier knows.
    TrainingError
        If a row holds NaN or infinite numbers.
    """
    classifier = as_classifier(classifier)
    name = "these features" if isinstance(features, Features) else str(features)
    if not isinstance(features, Features):
        features = load_rows_for(classifier, features)
    classifier.require_recipe(features.recipe, other_name=name)
    return evaluate_pipeline(
        classifier.applied,
        classifier.label_names,
        features,
        split=split or f"all of {name}",
        thresholds=classifier.thresholds,
        trained_on=classifier.trained_on,
        likeness=classifier.likeness,
        tell=tell,
    )


def load_rows_for(classifier: Classifier, path: str | Path) -> Features:
    """Open a feature file at the rows of the classifier's recipe, whatever they are called there.

    Where there are none, those of the name that trained it are shown, or else the last.

    Raises
    ------
    PathNotFoundError, FeatureFileError
    """
    return load_of_recipe(path, classifier.recipe, otherwise=classifier.layer)


def evaluate_pipeline(
    pipeline: Applicable,
    label_names: Sequence[str],
    features: Features,
    *,
    split: str,
    thresholds: Sequence[float] | None = None,
    trained_on: NDArray[np.uint64] | None = None,
    likeness: Likeness | None = None,
    tell: Tell = _nobody,
) -> Evaluation:
    """Score a pipeline whose classes are indices into `label_names`; see `evaluate`.

    With thresholds it is one for several labels an image: see `evaluate_labels`.
    """
    if thresholds is not None:
        return evaluate_labels(
            pipeline,
            label_names,
            features,
            thresholds,
            split=split,
            trained_on=trained_on,
            likeness=likeness,
            tell=tell,
        )
    index = positions(features.label_names, label_names)
    labels = np.asarray(features.labels)
    rows = np.flatnonzero(labels >= 0)
    truth = np.array([*index, -1])[labels[rows]]
    known = truth >= 0
    if not known.any():
        raise UsageError(
            f"none of the {len(rows)} labelled images has a label of the classifier's: it knows "
            f"{', '.join(label_names[:8])}{' …' if len(label_names) > 8 else ''}"
        )
    seen = trained_any(features, rows, trained_on)
    new = known if seen is None else known & ~seen
    # All classes' probabilities of a million images are gigabytes: of each block only what is told
    # or added up is kept.
    every, apart = ProbabilitySums(len(label_names)), ProbabilitySums(len(label_names))
    predicted, certainty = np.empty(len(rows), np.int64), np.empty(len(rows))
    unlike = np.zeros(len(rows), bool)
    for part, block in read_blocks(features, rows):
        tell(Progress(part.start, len(rows), 0, stage="evaluate", unit="rows"))
        if likeness is not None:
            unlike[part] = likeness.is_unlike(likeness.similarity(block))
        probabilities = class_probabilities(pipeline, block, len(label_names))
        predicted[part] = probabilities.argmax(axis=1)
        certainty[part] = probabilities.max(axis=1)
        for sums, mask in ((every, known), (apart, new)):
            if sums is every or seen is not None:
                mine = mask[part]
                sums.add(truth[part][mine], probabilities[mine])
    tell(Progress(len(rows), len(rows), 0, stage="evaluate", unit="rows"))
    names = [
        str(label_names[k] if k >= 0 else name)
        for name, k in zip(features.label_names, index, strict=True)
    ]

    def list_rows(mask: NDArray[np.bool_]) -> HeldOut:
        return HeldOut(
            ids=tuple(str(features.ids[i]) for i in rows[mask]),
            truth=tuple(names[k] for k in labels[rows[mask]]),
            predicted=tuple(str(label_names[k]) for k in predicted[mask]),
            probability=tuple(certainty[mask].tolist()),
        )

    def score_rows(mask: NDArray[np.bool_], name: str, sums: ProbabilitySums = apart) -> Scores:
        return score(truth[mask], predicted[mask], label_names, split=name, probabilities=sums)

    return Evaluation(
        images=list_rows(known),
        unseen=list_rows(~known),
        unlabelled=len(labels) - len(rows),
        unlike=None if likeness is None else int(unlike[known].sum()),
        unseen_unlike=None if likeness is None else int(unlike[~known].sum()),
        **score_apart(score_rows(known, split, every), score_rows, known, seen),
    )

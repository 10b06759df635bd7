"""How a classifier does on labelled rows; those that trained it are told apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.classify.classifier import Classifier, as_classifier
from penult.classify.evaluation.seen import is_seen
from penult.classify.metrics.scores import score
from penult.classify.pipeline import class_probabilities
from penult.errors import UsageError
from penult.features.read import load
from penult.partition.rows import read_blocks
from penult.records import Features, HeldOut, Scores
from penult.texts import positions

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sklearn.pipeline import Pipeline

__all__ = ["Evaluation", "evaluate", "judge", "load_rows_for"]


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What came out of it.

    Attributes
    ----------
    scores : over the images whose label the classifier knows
    images : those images, and what was said of each
    unseen : the images whose label it has never seen, and what was said of each; they are in no
        score, for whatever is said of them is wrong
    unlabelled : number of images without a label, left out
    trained : how many of the scored images trained the classifier, byte for byte; None where that
        cannot be known, one of the two having no digests of its images
    apart : scores over the others, where some trained it and some did not
    """

    scores: Scores
    images: HeldOut
    unseen: HeldOut
    unlabelled: int
    trained: int | None = None
    apart: Scores | None = None

    @property
    def unseen_labels(self) -> Mapping[str, int]:
        """Label that the classifier has never seen to the number of its images."""
        names, counts = np.unique(np.array(self.unseen.truth, dtype=str), return_counts=True)
        return dict(zip(names.tolist(), counts.tolist(), strict=True))


def evaluate(
    classifier: Classifier | str | Path,
    features: Features | str | Path,
    *,
    split: str | None = None,
) -> Evaluation:
    """Score a classifier on labelled rows; those that did not train it also by themselves.

    Parameters
    ----------
    classifier : or its file
    features : made with the classifier's recipe; or the file that holds them, perhaps beside those
        of other layers
    split : what the scores call these rows

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
    classifier.require_recipe(features.recipe, other_is=name)
    split = split or f"all of {name}"
    return judge(
        classifier.pipeline,
        classifier.label_names,
        features,
        split=split,
        thresholds=classifier.thresholds,
        trained_on=classifier.trained_on,
    )


def load_rows_for(classifier: Classifier, path: str | Path) -> Features:
    """Open a feature file at the layer that the classifier was trained on, if it is there.

    Raises
    ------
    PathNotFoundError, FeatureFileError
    """
    features, layer = load(path), classifier.recipe.layer
    return load(path, layer) if layer in features.layers else features


def judge(
    pipeline: Pipeline,
    label_names: Sequence[str],
    features: Features,
    *,
    split: str,
    thresholds: Sequence[float] | None = None,
    trained_on: NDArray[np.uint64] | None = None,
) -> Evaluation:
    """Score a pipeline whose classes are indices into `label_names`; see `evaluate`.

    With thresholds it is one for several labels an image: see `judge_labels`.
    """
    if thresholds is not None:
        from penult.classify.evaluation.multilabel import judge_labels

        return judge_labels(
            pipeline, label_names, features, thresholds, split=split, trained_on=trained_on
        )
    theirs = positions(features.label_names, label_names)
    labels = np.asarray(features.labels)
    rows = np.flatnonzero(labels >= 0)
    truth = np.array([*theirs, -1])[labels[rows]]
    known = truth >= 0
    if not known.any():
        raise UsageError(
            f"none of the {len(rows)} labelled images has a label of the classifier's: it knows "
            f"{', '.join(label_names[:8])}{' …' if len(label_names) > 8 else ''}"
        )
    probabilities = np.empty((len(rows), len(label_names)))
    for part, block in read_blocks(features, rows):
        probabilities[part] = class_probabilities(pipeline, block, len(label_names))
    predicted = probabilities.argmax(axis=1)

    found = zip(features.label_names, theirs, strict=True)
    names = [str(label_names[k] if k >= 0 else name) for name, k in found]

    def told(chosen: NDArray[np.bool_]) -> HeldOut:
        return HeldOut(
            ids=tuple(str(features.ids[i]) for i in rows[chosen]),
            truth=tuple(names[k] for k in labels[rows[chosen]]),
            predicted=tuple(str(label_names[k]) for k in predicted[chosen]),
            probability=tuple(probabilities[chosen].max(axis=1).tolist()),
        )

    def scored(chosen: NDArray[np.bool_], name: str) -> Scores:
        return score(
            truth[chosen],
            predicted[chosen],
            label_names,
            split=name,
            probabilities=probabilities[chosen],
        )

    return Evaluation(
        scores=scored(known, split),
        images=told(known),
        unseen=told(~known),
        unlabelled=len(labels) - len(rows),
        **score_apart(scored, known, is_seen(features, rows, trained_on)),
    )


def score_apart(
    scored: Callable[[NDArray[np.bool_], str], Scores],
    known: NDArray[np.bool_],
    seen: NDArray[np.bool_] | None,
) -> dict[str, Any]:
    """Make `Evaluation`'s ``trained`` and ``apart``.

    Parameters
    ----------
    scored : scores the chosen rows, which it is to call so
    known : (n,) the rows to score
    seen : (n,) of `is_seen`
    """
    if seen is None:
        return {}
    new = known & ~seen
    apart = (
        scored(new, "those that did not train it") if new.any() and (new < known).any() else None
    )
    return {"trained": int((known & seen).sum()), "apart": apart}

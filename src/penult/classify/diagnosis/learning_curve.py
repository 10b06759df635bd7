"""Whether more images would help: accuracy after training on ever more of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from penult.classify.classifier import Classifier
from penult.classify.diagnosis.common import load_labelled, map_in_threads
from penult.classify.kinds.base import TrainingData
from penult.classify.kinds.registry import find_kind
from penult.errors import PenultError, UsageError
from penult.partition.augmented import read_part
from penult.partition.rows import read_rows
from penult.partition.sampling import affordable_rows, rank_within_class
from penult.partition.splits import Split
from penult.progress import ShowProgress, following
from penult.records import Features
from penult.representation import short_repr
from penult.texts import positions
from penult.wording import count

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CurvePoint", "learning_curve"]


@short_repr
@dataclass(frozen=True)
class CurvePoint:
    """Accuracy on held-out images after training on so many images a class.

    Attributes
    ----------
    per_class : int
        Most images of a class that were trained on.
    images : int
        Images trained on.
    accuracies : tuple of float
        Of each draw.
    """

    per_class: int
    images: int
    accuracies: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Mean accuracy of the draws."""
        return float(np.mean(self.accuracies))


def learning_curve(
    classifier: Classifier,
    features: Features | str | Path,
    *,
    sizes: Sequence[int] | None = None,
    draws: int = 3,
    max_rows: int | None = None,
    split: Split | None = None,
    progress: ShowProgress = None,
) -> list[CurvePoint]:
    """Train with `classifier`'s parameters on ever more images a class.

    The held-out images are those that the classifier was scored on; those that it was trained on
    may be drawn, so without copies of held-out ones. The last point is the classifier itself.

    Parameters
    ----------
    classifier : Classifier
        Its kind, parameters, scaling, reduction, class weights and seed are taken, and its held-out
        images. Where a part is too small for the reduction, rows keep as many numbers as it allows.
    features : Features or path
        The rows the classifier was trained on; augmented rows train with their photos.
    sizes : sequence of int, optional
        Images a class; by default 1, 2, 5, 10, 20, 50, … and all.
    draws : int, default=3
        Random choices for each size; the size that takes every image has one.
    max_rows : int, optional
        Sizes that take more images are left out, but for the classifier itself; and of more
        held-out images, so many are drawn. By default 10,000, or fewer where rows are long.
    split : Split, optional
        How the rows were divided; by default as the classifier's options divide them, or, where
        those do not hold out its images, all others may be drawn.
    progress : bool or callable, optional
        As for `penult.extract`; fits are counted.

    Returns
    -------
    list of CurvePoint
        In the order of the sizes, smallest first.

    Raises
    ------
    RecipeMismatchError
        If the rows were made otherwise than the classifier's.
    UsageError
        If these are not the rows that the classifier was trained on, or some image has several
        labels.
    """
    features, name = load_labelled(features, classifier)
    labels = _labels(classifier, features)
    is_right = _is_right(classifier)
    held = np.array([str(i) in is_right for i in features.ids]) & (labels >= 0)
    if held.sum() != len(is_right):
        raise UsageError(
            f"{name} has {held.sum()} of the {count(len(is_right), 'image')} that the "
            f"classifier was scored on; give the features it was trained on"
        )
    most = max_rows or affordable_rows(features)
    split = _split(classifier, features) if split is None else split
    trained, test = ~held & (labels >= 0), np.flatnonzero(held)
    if split is not None and np.isin(test, split.held_out).all():
        trained &= np.isin(np.arange(len(features)), split.train)
    pool = np.flatnonzero(trained)
    if len(test) > most:
        test = np.sort(np.random.default_rng(0).choice(test, most, replace=False))
    counts = np.bincount(labels[pool])
    largest = int(counts.max())
    wanted = sorted({min(s, largest) for s in sizes or _default_sizes(largest)})
    takes = {size: int(np.minimum(counts, size).sum()) for size in wanted}
    # The classifier as it was scored is the point that takes every image; fitted again, it is not.
    scored = classifier.settings.train_images == len(pool) and not classifier.settings.refit
    known = {size for size in wanted if size == largest and scored}
    fitted = [size for size in wanted if size not in known and takes[size] <= most]
    ranks = [_ranks(labels[pool], draw) for draw in range(draws)]
    parts = [
        (size, pool[ranks[draw] < size])
        for size in fitted
        for draw in range(1 if size == largest else draws)
    ]
    needed = np.unique(np.concatenate([part for _, part in parts] or [pool[:0]]))
    pool_rows, test_rows = read_part(features, needed), read_rows(features, test)
    accuracies: dict[int, list[float]] = {size: [] for size in wanted}

    def fit(task: tuple[int, NDArray[np.int64]]) -> float:
        settings, places = classifier.settings, np.searchsorted(needed, task[1])
        kind = find_kind(settings.classifier)
        data = TrainingData.read(pool_rows, places, labels[task[1]], **settings.fitting)
        pipeline = kind.fit_decisions(data, kind.limit(settings.params, len(data.rows)))
        return float((pipeline.predict(test_rows) == labels[test]).mean())

    with following(progress) as tell:
        fitted_parts = map_in_threads(fit, parts, tell, stage="learning curve")
        for (size, _), accuracy in zip(parts, fitted_parts, strict=True):
            accuracies[size].append(accuracy)
    for size in known:
        accuracies[size].append(
            float(np.mean([is_right[str(features.ids[i])] for i in test.tolist()]))
        )
    return [
        CurvePoint(size, takes[size], tuple(found)) for size, found in accuracies.items() if found
    ]


def _split(classifier: Classifier, features: Features) -> Split | None:
    options = classifier.settings.options
    try:
        return None if options is None else options.split(options.joined(features))
    except PenultError:  # those were held out of other rows
        return None


def _labels(classifier: Classifier, features: Features) -> NDArray[np.int64]:
    # The classifier's number of each row's class; -1 where it has none.
    known = np.array([*positions(features.label_names, classifier.label_names), -1])
    return known[np.asarray(features.labels)]


def _is_right(classifier: Classifier) -> dict[str, bool]:
    held_out = classifier.held_out
    triples = zip(held_out.ids, held_out.truth, held_out.predicted, strict=True)
    return {image_id: truth == predicted for image_id, truth, predicted in triples}


def _ranks(labels: NDArray[np.int64], draw: int) -> NDArray[np.int64]:
    # Each row's place in a shuffled order of its class: one order a draw, so that a larger part
    # contains the smaller ones.
    order = np.random.default_rng(draw).permutation(len(labels))
    ranks = np.empty(len(labels), np.int64)
    ranks[order] = rank_within_class(labels[order])
    return ranks


def _default_sizes(largest: int) -> list[int]:
    steps = [digit * 10**power for power in range(7) for digit in (1, 2, 5)]
    return [step for step in steps if step < largest] + [largest]

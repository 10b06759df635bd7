"""What the rows say of the labels, of more images, and of the layers they came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.classify.model import Classifier, class_probabilities
from penult.classify.probe import train
from penult.classify.rows import read_rows
from penult.classify.search import fit_decisions, fit_one
from penult.classify.splits import cross_validation, hold_out
from penult.errors import UsageError
from penult.features.read import load
from penult.records import Features

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sklearn.pipeline import Pipeline

__all__ = [
    "CurvePoint",
    "LabelIssue",
    "find_label_issues",
    "learning_curve",
    "likely_errors",
    "train_layers",
]


@dataclass(frozen=True)
class LabelIssue:
    """An image whose label is likely wrong.

    Attributes
    ----------
    id : the image's id
    label : the label it has
    suggested : the label it more likely should have
    confidence : probability of its own label, by classifiers that had not seen the image
    """

    id: str
    label: str
    suggested: str
    confidence: float


@dataclass(frozen=True)
class CurvePoint:
    """Accuracy on the held-out part after training on so many images a class.

    Attributes
    ----------
    per_class : most images of a class that were trained on
    images : images trained on
    accuracies : of each draw
    """

    per_class: int
    images: int
    accuracies: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Mean accuracy of the draws."""
        return float(np.mean(self.accuracies))


def find_label_issues(
    classifier: Classifier, features: Features | str | Path, *, folds: int = 5
) -> list[LabelIssue]:
    """Find the images whose labels are likely wrong, the likeliest first.

    Every labelled image is judged by a classifier with `classifier`'s parameters that was trained
    on the other folds; `likely_errors` says which of them are errors.

    Parameters
    ----------
    features : the rows the classifier was trained on, or others made with its recipe and labels
    folds : how many parts; a class with fewer images is left out

    Raises
    ------
    RecipeMismatchError, TrainingError
    """
    features, name = _loaded(features)
    classifier.require_recipe(features.recipe, other_is=name)
    split = hold_out(features, folds=folds, min_per_class=folds, elsewhere=True)
    rows, labels = read_rows(features, split.train), np.asarray(features.labels)[split.train]
    groups = None if features.groups is None else np.asarray(features.groups)[split.train]
    settings = classifier.settings
    seed = int(settings["seed"])
    probabilities = np.zeros((len(rows), len(features.label_names)))
    for train_part, test_part in cross_validation(labels, groups, folds=folds, seed=seed):
        pipeline = _fit_as(
            settings,
            rows[train_part],
            labels[train_part],
            None if groups is None else groups[train_part],
        )
        probabilities[test_part] = class_probabilities(
            pipeline, rows[test_part], probabilities.shape[1]
        )
    wrong, suggested = likely_errors(labels, probabilities)
    return [
        LabelIssue(
            str(features.ids[split.train[i]]),
            str(features.label_names[labels[i]]),
            str(features.label_names[suggested[i]]),
            float(probabilities[i, labels[i]]),
        )
        for i in wrong
    ]


def likely_errors(
    labels: NDArray[np.int64], probabilities: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Confident learning: the rows off the diagonal of the confident joint.

    A class's threshold is the mean probability of that class over the rows labelled so. A row
    counts for the most probable of the classes whose threshold it reaches; where that is not its
    label, the label is likely wrong. Equation 1 of Northcutt, Jiang & Chuang, "Confident Learning"
    (JAIR 2021), as cleanlab's ``filter_by="confident_learning"``.

    Parameters
    ----------
    labels : (n,) int64
    probabilities : (n, K), each row by a classifier that was not trained on it

    Returns
    -------
    rows : (m,) int64, the likeliest errors first: by the probability of the label, least first
    suggested : (n,) int64, the class each row counts for; its label where it counts for none
    """
    present = np.unique(labels)
    thresholds = np.full(probabilities.shape[1], np.inf)
    thresholds[present] = [probabilities[labels == k, k].mean() for k in present]
    reached = np.where(probabilities >= thresholds, probabilities, -1)
    suggested = np.where(reached.max(axis=1) >= 0, reached.argmax(axis=1), labels)
    wrong = np.flatnonzero(suggested != labels)
    own = probabilities[wrong, labels[wrong]]
    return wrong[np.argsort(own, kind="stable")], suggested


def learning_curve(
    classifier: Classifier,
    features: Features | str | Path,
    *,
    sizes: Sequence[int] | None = None,
    draws: int = 3,
) -> list[CurvePoint]:
    """Train with `classifier`'s parameters on ever more images a class.

    The held-out images are those that the classifier was scored on; all others may be drawn.

    Parameters
    ----------
    features : the rows the classifier was trained on
    sizes : images a class; by default 1, 2, 5, 10, 20, 50, … and all
    draws : random choices a size; sizes that take every image are fitted once

    Raises
    ------
    RecipeMismatchError
    UsageError
        If these are not the rows that the classifier was trained on.
    """
    features, name = _loaded(features)
    classifier.require_recipe(features.recipe, other_is=name)
    place = {label: k for k, label in enumerate(classifier.label_names)}
    known = np.array([*(place.get(str(label), -1) for label in features.label_names), -1])
    labels = known[np.asarray(features.labels)]
    held_ids = set(classifier.held_out.ids)
    held = np.array([str(i) in held_ids for i in features.ids]) & (labels >= 0)
    if held.sum() != len(held_ids):
        raise UsageError(
            f"{name} has {held.sum()} of the {len(held_ids)} images that the classifier was scored "
            "on; give the features it was trained on"
        )
    pool = np.flatnonzero(~held & (labels >= 0))
    test = np.flatnonzero(held)
    rows, test_rows = read_rows(features, pool), read_rows(features, test)
    pool_labels, test_labels = labels[pool], labels[test]
    largest = int(np.bincount(pool_labels).max())
    points = []
    for size in sorted({min(s, largest) for s in sizes or _default_sizes(largest)}):
        accuracies, images = [], 0
        for draw in range(1 if size == largest else draws):
            # Drawn in one shuffled order a draw, so that a larger part contains the smaller ones.
            order = np.random.default_rng(draw).permutation(len(pool))
            rank = _rank_in_class(pool_labels[order])
            chosen = np.sort(order[rank < size])
            images = len(chosen)
            accuracies.append(
                _accuracy(
                    classifier.settings, rows[chosen], pool_labels[chosen], test_rows, test_labels
                )
            )
        points.append(CurvePoint(size, images, tuple(accuracies)))
    return points


def train_layers(path: str | Path, **options: Any) -> dict[str, Classifier]:
    """Train on each layer of a feature file in turn, in execution order.

    Parameters
    ----------
    path : a feature file with one layer or several
    options : of `train`; with the same seed every layer is scored on the same images

    Returns
    -------
    dict of layer name to Classifier
    """
    layers = load(path).layers
    return {layer: train(load(path, layer), **options) for layer in layers}


def _loaded(features: Features | str | Path) -> tuple[Features, str]:
    if isinstance(features, Features):
        return features, "these features"
    return load(features), str(features)


def _fit_as(
    settings: Mapping[str, Any],
    rows: NDArray[np.float32],
    labels: NDArray[np.int64],
    groups: NDArray[np.str_] | None,
) -> Pipeline:
    folds = cross_validation(labels, groups, folds=2, seed=int(settings["seed"]))
    return fit_one(
        rows,
        labels,
        settings["classifier"],
        settings["params"],
        scale=settings["scale"],
        seed=int(settings["seed"]),
        folds=folds,
    )


def _accuracy(
    settings: Mapping[str, Any],
    rows: NDArray[np.float32],
    labels: NDArray[np.int64],
    test_rows: NDArray[np.float32],
    test_labels: NDArray[np.int64],
) -> float:
    params = dict(settings["params"])
    if "n_neighbors" in params:
        params["n_neighbors"] = min(params["n_neighbors"], len(rows))
    pipeline = fit_decisions(
        rows,
        labels,
        settings["classifier"],
        params,
        scale=settings["scale"],
        seed=int(settings["seed"]),
    )
    return float((pipeline.predict(test_rows) == test_labels).mean())


def _rank_in_class(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    # How many rows of the same class come before each row.
    order = np.argsort(labels, kind="stable")
    counts = np.bincount(labels)
    starts = np.cumsum(counts) - counts
    rank = np.empty(len(labels), np.int64)
    rank[order] = np.arange(len(labels)) - np.repeat(starts, counts)
    return rank


def _default_sizes(largest: int) -> list[int]:
    steps = [digit * 10**power for power in range(7) for digit in (1, 2, 5)]
    return [step for step in steps if step < largest] + [largest]

"""Images whose labels are likely wrong, judged by classifiers that have not seen them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from penult.classify.classifier import Classifier
from penult.classify.diagnosis.common import load_labelled, map_in_threads
from penult.classify.kinds.base import TrainingData
from penult.classify.kinds.registry import find_kind
from penult.classify.pipeline import class_probabilities
from penult.errors import TrainingError
from penult.partition.row_groups import find_groups
from penult.partition.rows import read_blocks
from penult.partition.sampling import affordable_rows, stratified_sample
from penult.partition.splits import Fold, cross_validation
from penult.progress import ShowProgress, following
from penult.records import Features
from penult.representation import short_repr

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sklearn.pipeline import Pipeline

__all__ = ["LabelIssue", "find_label_issues", "likely_errors"]

ALMOST_NONE = 0.01
"""A label less probable than this is likely wrong where another class is more probable than not."""


@short_repr
@dataclass(frozen=True)
class LabelIssue:
    """An image whose label is likely wrong.

    Attributes
    ----------
    id : str
        The image's id.
    label : str
        The label it has.
    suggested : str
        The label it more likely should have.
    confidence : float
        Probability of its own label, by a classifier that had not seen the image.
    suggested_confidence : float
        Probability of the suggested one, by the same.
    """

    id: str
    label: str
    suggested: str
    confidence: float
    suggested_confidence: float


def find_label_issues(
    classifier: Classifier,
    features: Features | str | Path,
    *,
    folds: int = 5,
    max_rows: int | None = None,
    progress: ShowProgress = None,
) -> list[LabelIssue]:
    """Find the images whose labels are likely wrong, the likeliest first.

    Every labelled image is judged by a classifier with `classifier`'s parameters that was trained
    on the other folds; `likely_errors` says which of them are errors. Rows of one group, and images
    that are identical, are in one fold.

    Parameters
    ----------
    classifier : Classifier
        Its kind, parameters, scaling, reduction, class weights and seed are taken.
    features : Features or path
        The rows the classifier was trained on, or others made with its recipe, with labels;
        augmented rows train with their photos, and are not judged.
    folds : int, default=5
        How many parts; a class with fewer images (groups, where there are any) is left out.
    max_rows : int, optional
        Rows to train on in each fold; of more, a random part with each class's share. By default
        10,000, or fewer where rows are long.
    progress : bool or callable, optional
        As for `penult.extract`; a fit a fold is counted.

    Returns
    -------
    list of LabelIssue
        The likeliest error first.

    Raises
    ------
    RecipeMismatchError
        If the rows were made otherwise than the classifier's.
    TrainingError
        If fewer than two classes have enough images.
    UsageError
        If some image has several labels.
    """
    features, _ = load_labelled(features, classifier)
    groups = find_groups(features)
    chosen = _rows_of_large_classes(np.asarray(features.labels), groups, folds)
    labels = np.asarray(features.labels)[chosen]
    groups = None if groups is None else groups[chosen]
    most = max_rows or affordable_rows(features)
    seed = classifier.settings.seed
    divided = cross_validation(labels, groups, folds=folds, seed=seed)
    fold_of = np.empty(len(chosen), np.int64)
    for fold, (_, test) in enumerate(divided):
        fold_of[test] = fold

    def fit(fold: Fold) -> Pipeline:
        part = fold[0][stratified_sample(labels[fold[0]], most)]
        own = None if groups is None else groups[part]
        return _fit(classifier, features, chosen[part], labels[part], own)

    with following(progress) as tell:
        pipelines = list(map_in_threads(fit, divided, tell, stage="label errors"))
    probabilities = np.zeros((len(chosen), len(features.label_names)))
    for place, rows in read_blocks(features, chosen):
        for fold, pipeline in enumerate(pipelines):
            mine = fold_of[place] == fold
            probabilities[place][mine] = class_probabilities(
                pipeline, rows[mine], probabilities.shape[1]
            )
    wrong, suggested = likely_errors(labels, probabilities)
    return [
        LabelIssue(
            str(features.ids[chosen[i]]),
            str(features.label_names[labels[i]]),
            str(features.label_names[suggested[i]]),
            float(probabilities[i, labels[i]]),
            float(probabilities[i, suggested[i]]),
        )
        for i in wrong.tolist()
    ]


def likely_errors(
    labels: NDArray[np.int64], probabilities: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the rows whose label is likely wrong, by either of two rules.

    **Confident learning**: the rows off the diagonal of the confident joint. A class's threshold is
    the mean probability of that class over the rows labelled so. A row counts for the most probable
    of the classes whose threshold it reaches; where that is not its label, the label is likely
    wrong. Equation 1 of Northcutt, Jiang & Chuang, "Confident Learning" (JAIR 2021), as cleanlab's
    ``filter_by="confident_learning"``.

    **A label of almost no probability**: less than 1%, while another class has more than half.
    Where a class is easy, its threshold is so near to 1 that a row of another label misses it with
    0.9.

    Parameters
    ----------
    labels : int64 array, shape (n,)
        Class of each row.
    probabilities : float64 array, shape (n, K)
        Each row by a classifier that was not trained on it.

    Returns
    -------
    rows : int64 array, shape (m,)
        The likeliest errors first: by the probability of the label, least first.
    suggested : int64 array, shape (n,)
        The class each row counts for; the most probable one where its label has almost no
        probability, and its label where it counts for none.
    """
    present = np.unique(labels)
    thresholds = np.full(probabilities.shape[1], np.inf)
    thresholds[present] = [probabilities[labels == k, k].mean() for k in present]
    reached = np.where(probabilities >= thresholds, probabilities, -1)
    suggested = np.where(reached.max(axis=1) >= 0, reached.argmax(axis=1), labels)
    own = probabilities[np.arange(len(labels)), labels]
    hopeless = (own < ALMOST_NONE) & (probabilities.max(axis=1) > 0.5) & (suggested == labels)
    suggested[hopeless] = probabilities[hopeless].argmax(axis=1)
    wrong = np.flatnonzero(suggested != labels)
    return wrong[np.argsort(own[wrong], kind="stable")], suggested


def _rows_of_large_classes(
    labels: NDArray[np.int64], groups: NDArray[np.str_] | None, folds: int
) -> NDArray[np.int64]:
    """Return the rows whose class has enough groups for every fold to have one."""
    unit = np.arange(len(labels))
    if groups is not None:
        unit = np.unique(groups, return_inverse=True)[1]
    of_units = np.unique(np.stack([labels, unit]), axis=1)[0]
    counts = np.bincount(of_units[of_units >= 0])
    chosen = np.flatnonzero(labels >= 0)
    chosen = chosen[counts[labels[chosen]] >= folds]
    if len(np.unique(labels[chosen])) < 2:
        raise TrainingError(
            f"fewer than two classes have {folds} images, so that each could be judged by a "
            "classifier that was trained on others; give fewer folds, or more images"
        )
    return chosen


def _fit(
    classifier: Classifier,
    features: Features,
    chosen: NDArray[np.int64],
    labels: NDArray[np.int64],
    groups: NDArray[np.str_] | None,
) -> Pipeline:
    settings = classifier.settings
    folds = cross_validation(labels, groups, folds=2, seed=settings.seed)
    data = TrainingData.read(features, chosen, labels, folds=folds, **settings.fitting)
    return find_kind(settings.classifier).fit(data, settings.params)

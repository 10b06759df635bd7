"""Scores of images with several labels; the formulas, and where they come from.

0/0 is 0 throughout, as in scikit-learn. An image counts as right where its labels are predicted
exactly: no more, no fewer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.classify.metrics.scores import accuracy_interval, ratio
from penult.errors import UsageError
from penult.records import Average, ClassScore, Scores

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["average_precision", "mean_average_precision", "score_labels"]


def score_labels(
    truth: NDArray[np.bool_],
    predicted: NDArray[np.bool_],
    probabilities: NDArray[np.floating[Any]],
    label_names: Sequence[str],
    *,
    split: str = "",
) -> Scores:
    """Score predictions of several labels an image.

    Parameters
    ----------
    truth : bool array, shape (M, K)
        The labels of each image.
    predicted : bool array, shape (M, K)
        The labels predicted for it.
    probabilities : array, shape (M, K)
        Each in [0, 1].
    label_names : sequence of str
        Every label, also those without an image here.
    split : str, optional
        How the images were chosen, in words.

    Returns
    -------
    Scores
        ``accuracy`` is the subset accuracy; ``micro`` counts every label of every image the same,
        ``macro`` every label; ``mean_average_precision`` is over the labels that occur. There is
        no confusion matrix, which needs one label an image.

    Raises
    ------
    UsageError
        If there is nothing to score or the shapes disagree.
    """
    if not len(truth) or truth.shape != predicted.shape or truth.shape != probabilities.shape:
        raise UsageError(f"cannot score {len(predicted)} predictions of {len(truth)} images")
    hits = (truth & predicted).sum(axis=0)
    support, n_predicted = truth.sum(axis=0), predicted.sum(axis=0)
    precision, recall = ratio(hits, n_predicted), ratio(hits, support)
    f1 = ratio(2 * hits, support + n_predicted)
    right = int((truth == predicted).all(axis=1).sum())
    precisions = _average_precisions(truth, probabilities)

    def average(weights: NDArray[Any]) -> Average:
        if not weights.any():
            return Average(0.0, 0.0, 0.0)
        return Average(*(float(np.average(v, weights=weights)) for v in (precision, recall, f1)))

    all_labels = np.array([hits.sum()]), np.array([n_predicted.sum()]), np.array([support.sum()])
    return Scores(
        accuracy=right / len(truth),
        classes=tuple(
            ClassScore(str(name), float(p), float(r), float(f), int(n), average_precision=ap)
            for name, p, r, f, n, ap in zip(
                label_names, precision, recall, f1, support, precisions, strict=True
            )
        ),
        confusion=(),
        images=len(truth),
        split=split,
        interval=accuracy_interval(right, len(truth)),
        macro=average((support + n_predicted) > 0),
        weighted=average(support),
        micro=Average(
            float(ratio(all_labels[0], all_labels[1])[0]),
            float(ratio(all_labels[0], all_labels[2])[0]),
            float(ratio(2 * all_labels[0], all_labels[1] + all_labels[2])[0]),
        ),
        soft_f1=_soft_f1(truth, probabilities),
        mean_average_precision=_mean_of_found(precisions),
    )


def average_precision(truth: NDArray[np.bool_], scores: NDArray[np.floating[Any]]) -> float:
    """Sum the precision at each threshold times the recall it adds, without interpolation.

    scikit-learn's definition; M. Zhu, "Recall, precision and average precision" (2004). It is the
    same to average, over the images that have the label, the precision of predicting it for all
    images whose score is at least that one's. scikit-learn's own function takes a millisecond, and
    a grid search asks a thousand times.

    Parameters
    ----------
    truth : (M,), with at least one True
    scores : (M,), the higher the more likely
    """
    relevant, ordered = np.sort(scores[truth]), np.sort(scores)
    hits = len(relevant) - np.searchsorted(relevant, relevant)
    n_predicted = len(ordered) - np.searchsorted(ordered, relevant)
    return float(np.mean(hits / n_predicted))


def mean_average_precision(truth: NDArray[np.bool_], scores: NDArray[np.floating[Any]]) -> float:
    """Mean of `average_precision` over the labels that occur; 0 where none does."""
    return _mean_of_found(_average_precisions(truth, scores))


def _average_precisions(
    truth: NDArray[np.bool_], scores: NDArray[np.floating[Any]]
) -> list[float | None]:
    # A label that no image has has none.
    columns = zip(truth.T, scores.T, strict=True)
    return [average_precision(one, said) if one.any() else None for one, said in columns]


def _mean_of_found(precisions: Sequence[float | None]) -> float:
    found = [one for one in precisions if one is not None]
    return float(np.mean(found)) if found else 0.0


def _soft_f1(truth: NDArray[np.bool_], probabilities: NDArray[np.floating[Any]]) -> float:
    # As `metrics.scores.soft_f1`: 2 tp / (sum(p) + sum(y)), over the labels that occur.
    right = (probabilities * truth).sum(axis=0, dtype=np.float64)
    support = truth.sum(axis=0)
    soft = 2 * right / (probabilities.sum(axis=0, dtype=np.float64) + support).clip(1e-300)
    return float(soft[support > 0].mean()) if support.any() else 0.0

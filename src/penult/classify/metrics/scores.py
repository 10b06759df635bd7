"""How good predictions are: every number of `Scores`, its formula and its source.

0/0 is 0 throughout, as in scikit-learn: a class that is never predicted has precision 0. Averages
over classes are those of scikit-learn, too: macro averages count a class without images that is
predicted all the same, as 0, and balanced accuracy does not.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.errors import FileFormatError, UsageError
from penult.parsing import to_record
from penult.records import Average, ClassScore, Scores
from penult.wording import percent

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "accuracy_interval",
    "calibration_error",
    "caution",
    "confusion_matrix",
    "log_loss",
    "ratio",
    "score",
    "scores_from_dict",
    "scores_to_dict",
    "soft_f1",
]

# Below this the interval of an accuracy is wider than 10 points at 90%, and is put into words.
FEW = 100


def score(
    truth: NDArray[np.int64],
    predicted: NDArray[np.int64],
    label_names: Sequence[str],
    *,
    split: str = "",
    probabilities: NDArray[np.floating[Any]] | None = None,
) -> Scores:
    """Score single-label predictions.

    Parameters
    ----------
    truth : int64 array, shape (M,)
        Indices into `label_names`.
    predicted : int64 array, shape (M,)
        Indices into `label_names`.
    label_names : sequence of str
        Every class, also those without an image here.
    split : str, optional
        How the images were chosen, in words.
    probabilities : array, shape (M, K), optional
        Rows summing to one; without them the scores on probabilities are None.

    Returns
    -------
    Scores
        Of all images together, and of each class.

    Raises
    ------
    UsageError
        If there is nothing to score or the shapes disagree.
    """
    truth, predicted = np.asarray(truth), np.asarray(predicted)
    if not len(truth) or truth.shape != predicted.shape:
        raise UsageError(f"cannot score {len(predicted)} predictions of {len(truth)} images")
    confusion = confusion_matrix(truth, predicted, len(label_names))
    hits, support, n_predicted = confusion.diagonal(), confusion.sum(axis=1), confusion.sum(axis=0)
    precision, recall = ratio(hits, n_predicted), ratio(hits, support)
    f1 = ratio(2 * hits, support + n_predicted)
    occurs = (support + n_predicted) > 0
    accuracy = float(hits.sum() / len(truth))

    def average(weights: NDArray[Any]) -> Average:
        return Average(*(float(np.average(v, weights=weights)) for v in (precision, recall, f1)))

    scores = Scores(
        accuracy=accuracy,
        classes=tuple(
            ClassScore(str(name), float(p), float(r), float(f), int(n))
            for name, p, r, f, n in zip(label_names, precision, recall, f1, support, strict=True)
        ),
        confusion=tuple(tuple(int(n) for n in row) for row in confusion),
        images=len(truth),
        split=split,
        interval=accuracy_interval(int(hits.sum()), len(truth)),
        balanced_accuracy=float(recall[support > 0].mean()),
        macro=average(occurs),
        weighted=average(support),
    )
    if probabilities is None:
        return scores
    return dataclasses.replace(
        scores,
        top5=_top(truth, probabilities, 5) if len(label_names) > 5 else None,
        soft_f1=soft_f1(truth, probabilities),
        log_loss=log_loss(truth, probabilities),
        calibration_error=calibration_error(truth, probabilities),
    )


def confusion_matrix(
    truth: NDArray[np.int64], predicted: NDArray[np.int64], classes: int
) -> NDArray[np.int64]:
    """Count the images of each true class (row) that were called each class (column), (K, K)."""
    return np.bincount(truth * classes + predicted, minlength=classes**2).reshape(classes, classes)


def accuracy_interval(right: int, images: int, *, confidence: float = 0.95) -> tuple[float, float]:
    """Interval of an accuracy, by the exact method of Clopper & Pearson (Biometrika 1934).

    It has a width also where all are right or none is, where the bootstrap and the normal
    approximation collapse to a point, and holds the true accuracy at least as often as it says,
    however few the images (Brown, Cai & DasGupta, "Interval Estimation for a Binomial Proportion",
    Statistical Science 2001). Images are taken as independent.
    """
    from scipy.special import betaincinv

    tail = (1 - confidence) / 2
    low = betaincinv(right, images - right + 1, tail) if right else 0.0
    high = betaincinv(right + 1, images - right, 1 - tail) if right < images else 1.0
    return float(low), float(high)


def caution(scores: Scores) -> str | None:
    """Say in words how far the accuracy can be trusted, where the images are few."""
    low, high = scores.interval or (0, 0)
    if scores.images >= FEW or not 0 <= low < high <= 1:  # a file may hold anything
        return None
    few = "1 image is" if scores.images == 1 else f"{scores.images} images are"
    of = "accuracy" if scores.mean_average_precision is None else "share"
    return f"{few} few: the true {of} may be anywhere between {percent(low)} and {percent(high)}"


def soft_f1(truth: NDArray[np.int64], probabilities: NDArray[np.floating[Any]]) -> float:
    """Macro F1 with probabilities in place of decisions.

    For a class of truth ``y`` in {0, 1} and probability ``p``: ``tp = sum(p y)``,
    ``fp = sum(p (1 - y))``, ``fn = sum((1 - p) y)``, its soft F1 is ``2 tp / (2 tp + fp + fn)``,
    and the result is the mean over the classes that have images here. It is the ``macro_soft_f1``
    of A. Maiza, "The Unknown Benefits of using a Soft-F1 Loss in Classification Systems" (2019),
    as a score instead of a loss.
    """
    counts = np.bincount(truth, minlength=probabilities.shape[1])
    right = probabilities[np.arange(len(truth)), truth]
    tp = np.bincount(truth, weights=right, minlength=probabilities.shape[1])
    # 2 tp + fp + fn = sum(p) + sum(y)
    soft = 2 * tp / (probabilities.sum(axis=0, dtype=np.float64) + counts).clip(1e-300)
    return float(soft[counts > 0].mean())


def log_loss(truth: NDArray[np.int64], probabilities: NDArray[np.floating[Any]]) -> float:
    """Mean of ``-log(probability of the true class)`` in nats, clipped as scikit-learn clips it."""
    right = probabilities[np.arange(len(truth)), truth]
    return float(-np.log(right.clip(np.finfo(probabilities.dtype).eps)).mean())


def calibration_error(
    truth: NDArray[np.int64], probabilities: NDArray[np.floating[Any]], *, bins: int = 15
) -> float:
    """Expected calibration error: how far confidence is from accuracy, in [0, 1].

    The winning probabilities fall into `bins` bins of equal width; the mean over bins of
    ``|accuracy - mean confidence|``, weighted by their images (Guo et al., "On Calibration of
    Modern Neural Networks", ICML 2017, equation 3).
    """
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == truth
    # Bins are ((m-1)/M, m/M], as in the paper.
    place = (np.ceil(confidence * bins).astype(int) - 1).clip(0, bins - 1)
    gap = np.bincount(place, weights=right - confidence, minlength=bins)
    return float(np.abs(gap).sum() / len(truth))


def scores_to_dict(scores: Scores) -> dict[str, Any]:
    """JSON-like form of the scores; `scores_from_dict` gives equal ones back."""
    return dataclasses.asdict(scores)


def scores_from_dict(data: Mapping[str, Any]) -> Scores:
    """Read what `scores_to_dict` wrote, also after a trip through JSON.

    Raises
    ------
    FileFormatError
        If these are no scores, or have fields that this version lacks.
    """
    try:
        scores = to_record(Scores, data)
    except FileFormatError as error:
        raise FileFormatError(f"not scores that this penult can read: {error}") from error
    low, high = scores.interval or (0.0, 1.0)
    if low == high in (0, 1):  # in files from before: a bootstrap that had collapsed
        interval = accuracy_interval(round(low * scores.images), scores.images)
        scores = dataclasses.replace(scores, interval=interval)
    return scores


def ratio(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    """Divide, 0/0 being 0."""
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)


def _top(truth: NDArray[np.int64], probabilities: NDArray[np.floating[Any]], k: int) -> float:
    best = np.argpartition(-probabilities, k - 1, axis=1)[:, :k]
    return float((best == truth[:, None]).any(axis=1).mean())

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

from penult.classify.metrics.probability_sums import ProbabilitySums
from penult.errors import FileFormatError, UsageError
from penult.parsing import to_record
from penult.records import Average, ClassScore, Scores
from penult.wording import percent

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "accuracy_interval",
    "caution",
    "confusion_matrix",
    "ratio",
    "score",
    "scores_from_dict",
    "scores_to_dict",
]

# Below this the interval of an accuracy is wider than 10 points at 90%, and is put into words.
FEW = 100


def score(
    truth: NDArray[np.int64],
    predicted: NDArray[np.int64],
    label_names: Sequence[str],
    *,
    split: str = "",
    probabilities: NDArray[np.floating[Any]] | ProbabilitySums | None = None,
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
    probabilities : array, shape (M, K), or ProbabilitySums, optional
        Rows summing to one, or what was added up of them; without them the scores on probabilities
        are None.

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
    if not isinstance(probabilities, ProbabilitySums):
        probabilities = ProbabilitySums.of(truth, probabilities)
    return dataclasses.replace(
        scores,
        top5=probabilities.top5,
        soft_f1=probabilities.soft_f1,
        log_loss=probabilities.log_loss,
        calibration_error=probabilities.calibration_error,
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

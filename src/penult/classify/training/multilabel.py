"""The grid search over images with several labels, and a threshold for each label.

Linear classifiers are one logistic function a label; nearest neighbours and forests have several
labels by themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.classify.kinds.base import TrainingData, Trial
from penult.classify.kinds.registry import all_kinds, find_kind
from penult.classify.linear.losses import SIGMOID
from penult.classify.metrics.label_scores import mean_average_precision
from penult.classify.training.grid import Candidates
from penult.classify.training.search import GridSearchResult, choose, possible
from penult.errors import TrainingError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["best_thresholds", "require_multilabel", "search_labels"]


def require_multilabel(candidates: Candidates) -> None:
    """Refuse kinds of classifier that learn one label an image only.

    Raises
    ------
    TrainingError
        Names them and those that learn several.
    """
    refused = [name for name in candidates if not find_kind(name).multilabel]
    if refused:
        able = ", ".join(kind.name for kind in all_kinds() if kind.multilabel)
        raise TrainingError(
            f"some images have several labels, and {', '.join(refused)} learns one an image; take "
            f"{able}"
        )


def search_labels(
    data: TrainingData, candidates: Candidates, step: Callable[[], None] = lambda: None
) -> GridSearchResult:
    """Do as `penult.classify.training.search.search` does, for (n, K) bool labels.

    The ``accuracies`` of the trials are mean average precisions, which need no threshold; the
    thresholds are chosen by `best_thresholds` on what the folds left out.
    """
    targets = data.labels[: data.photos]
    trials: list[Trial] = []
    left_out: list[NDArray[np.float32]] = []
    for name, params in candidates.items():
        kind = find_kind(name)
        tried = possible(kind, params, data.folds)
        # Of each fold, what each candidate says of the rows it left out.
        decisions = np.zeros((len(tried), *targets.shape), np.float32)
        for train, test in data.folds:
            for k, decide in enumerate(kind.fit_labels_each(data.take(train), tried)):
                decisions[k, test] = decide(data.rows[test])
                step()
        for one, decided in zip(tried, decisions, strict=True):
            precisions = tuple(
                mean_average_precision(targets[t], decided[t]) for _, t in data.folds
            )
            loss = None
            if kind.gives_logits:
                loss = float(SIGMOID.evaluate(decided, targets)[2].mean() / targets.shape[1])
            trials.append(Trial(name, one, precisions, loss))
            left_out.append(decided)
    best = choose(trials, data.photos)
    decided = left_out[trials.index(best)]
    pipeline, probabilities = find_kind(best.classifier).fit_labels(data, best.params, decided)
    step()
    return GridSearchResult(trials, best, pipeline, best_thresholds(targets, probabilities))


def best_thresholds(
    targets: NDArray[np.bool_], probabilities: NDArray[np.floating[Any]]
) -> tuple[float, ...]:
    """Choose each label's threshold so that its F1 is the highest.

    The cut is half-way between two neighbouring probabilities (the "S-cut" of Yang, "A study of
    thresholding strategies for text categorization", SIGIR 2001); of equally good cuts the one
    nearest to 1/2 is taken.

    Parameters
    ----------
    targets, probabilities : (n, K); of rows that the classifier behind them had not seen
    """
    result = []
    for truth, scores in zip(targets.T, probabilities.T.astype(np.float64), strict=True):
        order = np.argsort(-scores, kind="stable")
        values, hits = scores[order], np.cumsum(truth[order])
        f1 = 2 * hits / (np.arange(1, len(scores) + 1) + truth.sum())
        below = np.append(values[1:], 0.0)
        f1[values == below] = -1  # a cut between equals is none
        cuts = (values + below) / 2
        good = np.flatnonzero(f1 >= f1.max() - 1e-12)
        result.append(float(cuts[good[np.abs(cuts[good] - 0.5).argmin()]]))
    return tuple(result)

"""The rows of one network, scored on the parts that all networks are scored on."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from math import nan
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.classify.classifier import Classifier
from penult.classify.training.train import train
from penult.comparison.image_scores import ImageScores
from penult.comparison.splits import Splits
from penult.errors import SearchError, TrainingError
from penult.partition.rows import read_blocks
from penult.progress import Tell
from penult.records import Features, Progress, RunScores, Scores
from penult.retrieve.evaluation.labelled_rows import LabelledRows
from penult.retrieve.evaluation.protocol import Trial
from penult.retrieve.evaluation.ranking import Ranker
from penult.retrieve.evaluation.trial_scores import score_trial
from penult.texts import positions

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["score_rows"]

_log = logging.getLogger("penult")

K = (1, 5)
_SEARCHED = ("hit@1", "hit@5", "precision@5")
# The score, the kind of classifier, and what is said of it while it is trained.
_PROBES = (
    ("accuracy", "logistic", "probe"),
    ("knn_accuracy", "knn", "nearest neighbours"),
)
_WHOLE: dict[str, Callable[[Scores], float | None]] = {
    "macro_f1": lambda scores: None if scores.macro is None else scores.macro.f1,
    "soft_f1": lambda scores: scores.soft_f1,
    "calibration_error": lambda scores: scores.calibration_error,
}


def score_rows(features: Features, splits: Splits, *, tell: Tell) -> ImageScores:
    """Score the rows of one network in each run.

    A logistic probe and a classifier by nearest neighbours are trained on the training part, their
    parameters chosen inside it, as `penult.train` does; and the held-out part searches the training
    part. What these rows allow no score of is left out, with a warning.

    Parameters
    ----------
    features : Features
        The rows of one layer, of the images that were divided.
    splits : Splits
        Which images train, and which are held out.
    tell : callable
        Told of the progress.

    Raises
    ------
    TrainingError
        If no probe can be trained on these rows.
    """
    features = splits.without_dropped(features)
    scored = _PerImage(splits.parts.shape)
    whole: dict[str, list[float]] = {name: [] for name in _WHOLE}
    for run in range(splits.runs):
        rows = splits.of(features, run)
        for name, kind, told in _PROBES:
            try:
                trained = train(
                    rows,
                    classifier=kind,
                    folds=splits.options.folds,
                    seed=splits.options.seed + run,
                    progress=_staged(tell, f"{told}, run {run + 1} of {splits.runs}"),
                )
            except TrainingError as error:
                if kind == "logistic":
                    raise
                _log.warning("penult: no accuracy by nearest neighbours: %s", error)
                continue
            scored.put(name, run, splits.places(trained.held_out.ids), *_right(trained, rows))
            if kind == "logistic":
                for score, find in _WHOLE.items():
                    found = find(trained.scores)
                    whole[score].append(nan if found is None else found)
    try:
        _search(features, splits, scored, tell)
    except SearchError as error:
        _log.warning("penult: no scores of a search: %s", error)
    return ImageScores(
        same=scored.same,
        any_label=scored.any_label,
        whole={
            name: RunScores(tuple(values))
            for name, values in whole.items()
            if np.isfinite(values).any()
        },
    )


class _PerImage:
    """What each image scored in each run, as far as it is known by now."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._shape = shape
        self.same: dict[str, NDArray[np.float64]] = {}
        self.any_label: dict[str, NDArray[np.float64]] = {}

    def put(
        self,
        name: str,
        run: int,
        places: NDArray[np.int64],
        same: NDArray[Any],
        any_label: NDArray[Any],
    ) -> None:
        for tables, values in ((self.same, same), (self.any_label, any_label)):
            tables.setdefault(name, np.full(self._shape, nan))[run, places] = values


def _staged(tell: Tell, stage: str) -> Tell:
    return lambda now: tell(replace(now, stage=stage))


def _right(trained: Classifier, features: Features) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether each held-out image got all of its labels, and whether it got one of them."""
    held_out = trained.held_out
    if features.targets is None:
        right = [a == b for a, b in zip(held_out.truth, held_out.predicted, strict=True)]
        return np.array(right), np.array(right)
    place = {str(one): k for k, one in enumerate(features.ids)}
    rows = np.array([place[one] for one in held_out.ids])
    truth = np.zeros((len(rows), len(trained.label_names)), bool)
    for column, k in enumerate(positions(features.label_names, trained.label_names)):
        if k >= 0:
            truth[:, k] = np.asarray(features.targets)[rows, column]
    predicted = np.zeros_like(truth)
    for part, block in read_blocks(features, rows):
        probabilities = trained.predict_features(block)
        predicted[part] = probabilities >= np.asarray(trained.thresholds)
    return np.all(truth == predicted, axis=1), np.any(truth & predicted, axis=1)


def _search(features: Features, splits: Splits, scored: _PerImage, tell: Tell) -> None:
    """Have the held-out part of each run search its training part."""
    rows = LabelledRows.of(features)
    ranker = Ranker(rows.rows, rows.digests, rows.images, "cosine")
    places = splits.places(rows.ids)
    done, total = 0, int((splits.parts == 2).sum())

    def told(queries: int) -> None:
        nonlocal done
        done += queries
        tell(Progress(done, total, 0, stage="search", unit="queries"))

    for run in range(splits.runs):
        part = np.where(places >= 0, splits.parts[run][places], 0)
        trial = Trial(np.flatnonzero(part == 2), np.flatnonzero(part == 1))
        if not len(trial.queries) or not len(trial.gallery):
            continue
        k = [one for one in K if one <= len(trial.gallery)]
        found = score_trial(ranker, rows.labels, None, trial, k=k, first=1, tell=told)
        some = found.any_label or found.same
        for name in _SEARCHED:
            if name in found.same:
                scored.put(name, run, places[found.queries], found.same[name], some[name])

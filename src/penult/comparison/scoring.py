"""The rows of one network, scored on the parts that all networks are scored on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
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
from penult.retrieve.evaluation.trial_scores import TrialScores, score_trial
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
    place = {name: k for k, name in enumerate(splits.ids)}
    same: dict[str, NDArray[np.float64]] = {}
    any_label: dict[str, NDArray[np.float64]] = {}
    whole: dict[str, list[float]] = {name: [] for name in _WHOLE}

    def put(values: dict[str, NDArray[np.float64]], name: str, run: int, of: _Values) -> None:
        table = values.setdefault(name, np.full(splits.parts.shape, nan))
        for one, value in of:
            if one in place:
                table[run, place[one]] = value

    for run in range(splits.runs):
        rows = splits.of(features, run)
        of = f"run {run + 1} of {splits.runs}"
        for name, kind, told in _PROBES:
            try:
                trained = train(
                    rows,
                    classifier=kind,
                    folds=splits.options.folds,
                    seed=splits.options.seed + run,
                    progress=_staged(tell, f"{told}, {of}"),
                )
            except TrainingError as error:
                if kind == "logistic":
                    raise
                _log.warning("penult: no accuracy by nearest neighbours: %s", error)
                continue
            right, some = _right(trained, rows)
            put(same, name, run, right)
            put(any_label, name, run, some)
            if kind == "logistic":
                for score, find in _WHOLE.items():
                    found = find(trained.scores)
                    whole[score].append(nan if found is None else found)
    try:
        searched = _search(features, splits, tell)
    except SearchError as error:
        _log.warning("penult: no scores of a search: %s", error)
        searched = []
    for run, ids, trial in searched:
        some_labels = trial.any_label or trial.same
        for name in _SEARCHED:
            if name in trial.same:
                put(same, name, run, zip(ids, trial.same[name].tolist(), strict=True))
                put(any_label, name, run, zip(ids, some_labels[name].tolist(), strict=True))
    return ImageScores(
        same=same,
        any_label=any_label,
        whole={
            name: RunScores(tuple(values))
            for name, values in whole.items()
            if np.isfinite(values).any()
        },
    )


def _staged(tell: Tell, stage: str) -> Tell:
    return lambda now: tell(replace(now, stage=stage))


_Values = Iterable[tuple[str, float]]


def _right(trained: Classifier, features: Features) -> tuple[list[Any], list[Any]]:
    """Whether each held-out image got all of its labels, and whether it got one of them."""
    held_out = trained.held_out
    if features.targets is None:
        pairs = zip(held_out.ids, held_out.truth, held_out.predicted, strict=True)
        right = [(one, float(truth == predicted)) for one, truth, predicted in pairs]
        return right, right
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
    same, some = (truth == predicted).all(axis=1), (truth & predicted).any(axis=1)
    return (
        [*zip(held_out.ids, same.astype(float).tolist(), strict=True)],
        [*zip(held_out.ids, some.astype(float).tolist(), strict=True)],
    )


def _search(
    features: Features, splits: Splits, tell: Tell
) -> list[tuple[int, list[str], TrialScores]]:
    """Have the held-out part of each run search its training part."""
    rows = LabelledRows.of(features)
    ranker = Ranker(rows.rows, rows.digests, rows.images, "cosine")
    place = {name: k for k, name in enumerate(splits.ids)}
    places = np.array([place.get(name, -1) for name in rows.ids])
    done, total = 0, int((splits.parts == 2).sum())

    def told(queries: int) -> None:
        nonlocal done
        done += queries
        tell(Progress(done, total, 0, stage="search", unit="queries"))

    found = []
    for run in range(splits.runs):
        part = np.where(places >= 0, splits.parts[run][places], 0)
        trial = Trial(np.flatnonzero(part == 2), np.flatnonzero(part == 1))
        if not len(trial.queries) or not len(trial.gallery):
            continue
        k = [one for one in K if one <= len(trial.gallery)]
        scores = score_trial(ranker, rows.labels, None, trial, k=k, first=1, tell=told)
        found.append((run, [rows.ids[one] for one in scores.queries.tolist()], scores))
    return found

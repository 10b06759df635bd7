"""How a classifier of several labels an image does on rows that it was not trained on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from penult.classify.evaluation.seen import is_seen
from penult.classify.metrics.label_scores import score_labels
from penult.classify.pipeline import label_probabilities
from penult.errors import UsageError
from penult.partition.rows import read_blocks
from penult.records import Features, HeldOut, Scores
from penult.texts import positions

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sklearn.pipeline import Pipeline

    from penult.classify.evaluation.evaluate import Evaluation

__all__ = ["judge_labels", "targets_of"]


def judge_labels(
    pipeline: Pipeline,
    label_names: Sequence[str],
    features: Features,
    thresholds: Sequence[float],
    *,
    split: str,
    trained_on: NDArray[np.uint64] | None = None,
) -> Evaluation:
    """Score a pipeline for several labels; see `penult.classify.evaluation.evaluate.evaluate`.

    Images without any label are left out. Labels that the classifier has never seen are in no
    score: each image that has one is listed for it in ``unseen``.

    Raises
    ------
    UsageError
        If no image has a label that the classifier knows.
    """
    from penult.classify.evaluation.evaluate import Evaluation, score_apart

    theirs = positions(features.label_names, label_names)
    targets = targets_of(features)
    rows = np.flatnonzero(targets.any(axis=1))
    truth = np.zeros((len(rows), len(label_names)), bool)
    for column, k in enumerate(theirs):
        if k >= 0:
            truth[:, k] = targets[rows, column]
    if not truth.any():
        raise UsageError(
            f"none of the {len(rows)} labelled images has a label of the classifier's: it knows "
            f"{', '.join(label_names[:8])}{' …' if len(label_names) > 8 else ''}"
        )
    probabilities = np.empty(truth.shape)
    for part, block in read_blocks(features, rows):
        probabilities[part] = label_probabilities(pipeline, block)
    predicted = probabilities >= np.asarray(thresholds)
    # How sure an image's least certain decision is.
    certain = np.where(predicted, probabilities, 1 - probabilities).min(axis=1)
    ids = [str(features.ids[int(i)]) for i in rows]

    def named(chosen: NDArray[np.bool_]) -> str:
        return ", ".join(str(label_names[int(k)]) for k in np.flatnonzero(chosen))

    said = [named(row) for row in predicted]
    known = np.asarray(truth.any(axis=1))
    strange = [
        (int(at), str(features.label_names[column]))
        for column, k in enumerate(theirs)
        if k < 0
        for at in np.flatnonzero(targets[rows, column])
    ]

    def scored(chosen: NDArray[np.bool_], name: str) -> Scores:
        return score_labels(
            truth[chosen], predicted[chosen], probabilities[chosen], label_names, split=name
        )

    return Evaluation(
        scores=scored(known, split),
        images=HeldOut(
            ids=tuple(ids[i] for i in np.flatnonzero(known)),
            truth=tuple(named(row) for row in truth[known]),
            predicted=tuple(said[i] for i in np.flatnonzero(known)),
            probability=tuple(certain[known].tolist()),
        ),
        unseen=HeldOut(
            ids=tuple(ids[i] for i, _ in strange),
            truth=tuple(name for _, name in strange),
            predicted=tuple(said[i] for i, _ in strange),
            probability=tuple(float(certain[i]) for i, _ in strange),
        ),
        unlabelled=len(targets) - len(rows),
        **score_apart(scored, known, is_seen(features, rows, trained_on)),
    )


def targets_of(features: Features) -> NDArray[np.bool_]:
    """The labels of each row, (N, K) bool, also where each has one."""
    if features.targets is not None:
        return np.asarray(features.targets, bool)
    labels = np.asarray(features.labels)
    targets: NDArray[np.bool_] = labels[:, None] == np.arange(len(features.label_names))
    return targets

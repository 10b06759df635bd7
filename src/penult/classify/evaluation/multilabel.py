"""How a classifier for several labels an image does on labelled rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from penult.classify.evaluation.result import Evaluation, score_apart
from penult.classify.evaluation.seen import trained_any
from penult.classify.metrics.label_scores import score_labels
from penult.classify.pipeline import Applicable, label_probabilities
from penult.errors import UsageError
from penult.likeness import Likeness
from penult.partition.rows import read_blocks
from penult.progress import Tell
from penult.records import Features, HeldOut, Progress, Scores
from penult.texts import positions

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["evaluate_labels"]


def evaluate_labels(
    pipeline: Applicable,
    label_names: Sequence[str],
    features: Features,
    thresholds: Sequence[float],
    *,
    split: str,
    trained_on: NDArray[np.uint64] | None = None,
    likeness: Likeness | None = None,
    tell: Tell,
) -> Evaluation:
    """Score a pipeline for several labels; see `penult.classify.evaluation.evaluate.evaluate`.

    Images without any label are left out. Labels that the classifier has never seen are in no
    score: each image that has one is listed for it in ``unseen``.

    Raises
    ------
    UsageError
        If no image has a label that the classifier knows.
    """
    index = positions(features.label_names, label_names)
    targets = _targets(features)
    rows = np.flatnonzero(targets.any(axis=1))
    truth = np.zeros((len(rows), len(label_names)), bool)
    for column, k in enumerate(index):
        if k >= 0:
            truth[:, k] = targets[rows, column]
    if not truth.any():
        raise UsageError(
            f"none of the {len(rows)} labelled images has a label of the classifier's: it knows "
            f"{', '.join(label_names[:8])}{' …' if len(label_names) > 8 else ''}"
        )
    # Average precision needs the order of all images by each label, so all of them are held.
    probabilities = np.empty(truth.shape)
    unlike = np.zeros(len(rows), bool)
    for part, block in read_blocks(features, rows):
        tell(Progress(part.start, len(rows), 0, stage="evaluate", unit="rows"))
        if likeness is not None:
            unlike[part] = likeness.is_unlike(likeness.similarity(block))
        probabilities[part] = label_probabilities(pipeline, block)
    tell(Progress(len(rows), len(rows), 0, stage="evaluate", unit="rows"))
    predicted = probabilities >= np.asarray(thresholds)
    # How sure an image's least certain decision is.
    certainty = np.where(predicted, probabilities, 1 - probabilities).min(axis=1)
    ids = [str(features.ids[int(i)]) for i in rows]

    def join_names(labels: NDArray[np.bool_]) -> str:
        return ", ".join(str(label_names[int(k)]) for k in np.flatnonzero(labels))

    predicted_names = [join_names(row) for row in predicted]
    known = np.asarray(truth.any(axis=1))
    unknown_labels = [
        (int(row), str(features.label_names[column]))
        for column, k in enumerate(index)
        if k < 0
        for row in np.flatnonzero(targets[rows, column])
    ]

    def score_rows(mask: NDArray[np.bool_], name: str) -> Scores:
        return score_labels(
            truth[mask], predicted[mask], probabilities[mask], label_names, split=name
        )

    return Evaluation(
        images=HeldOut(
            ids=tuple(ids[i] for i in np.flatnonzero(known)),
            truth=tuple(join_names(row) for row in truth[known]),
            predicted=tuple(predicted_names[i] for i in np.flatnonzero(known)),
            probability=tuple(certainty[known].tolist()),
        ),
        unseen=HeldOut(
            ids=tuple(ids[i] for i, _ in unknown_labels),
            truth=tuple(name for _, name in unknown_labels),
            predicted=tuple(predicted_names[i] for i, _ in unknown_labels),
            probability=tuple(float(certainty[i]) for i, _ in unknown_labels),
        ),
        unlabelled=len(targets) - len(rows),
        unlike=None if likeness is None else int(unlike[known].sum()),
        unseen_unlike=None if likeness is None else int(unlike[~known].sum()),
        **score_apart(
            score_rows(known, split), score_rows, known, trained_any(features, rows, trained_on)
        ),
    )


def _targets(features: Features) -> NDArray[np.bool_]:
    # (N, K), also where each image has one label.
    if features.targets is not None:
        return np.asarray(features.targets, bool)
    labels = np.asarray(features.labels)
    targets: NDArray[np.bool_] = labels[:, None] == np.arange(len(features.label_names))
    return targets

"""Scores of logits, and what was said of each photo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.classify.metrics.label_scores import score_labels
from penult.classify.metrics.probability_sums import ProbabilitySums
from penult.classify.metrics.scores import score
from penult.finetuning.calibration import probabilities
from penult.records import HeldOut, Scores

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Scored", "score_logits"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Scored:
    """How logits did on some photos.

    Attributes
    ----------
    scores : Scores
    held_out : HeldOut
    right : float64 array, shape (n,)
        1 for each photo that is right, else 0.
    calibration : (float, float) or None
        Calibration error before and after the temperature; None of several labels.
    """

    scores: Scores
    held_out: HeldOut
    right: NDArray[np.float64]
    calibration: tuple[float, float] | None


def score_logits(
    logits: NDArray[np.floating[Any]],
    truth: NDArray[Any],
    *,
    ids: Sequence[str],
    label_names: Sequence[str],
    split: str,
    temperature: float = 1.0,
    thresholds: Sequence[float] | None = None,
) -> Scored:
    """Score logits.

    Parameters
    ----------
    logits : array, shape (n, K)
    truth : int64 array, shape (n,), or bool array, shape (n, K)
    ids : sequence of str, length n
    label_names : sequence of str, length K
    split : str
        How the photos were chosen, in words.
    temperature : float
    thresholds : sequence of float, optional
        Of each label, where a photo may have several.

    Returns
    -------
    Scored
    """
    several = truth.ndim == 2
    found = probabilities(logits, several=several, temperature=temperature)
    if several:
        predicted = found >= np.asarray(thresholds)
        right = (predicted == truth).all(axis=1)
        certainty = np.where(predicted, found, 1 - found).min(axis=1)

        def name(labels: NDArray[np.bool_]) -> str:
            return ", ".join(str(label_names[int(k)]) for k in np.flatnonzero(labels))

        names = [(name(a), name(b)) for a, b in zip(truth, predicted, strict=True)]
        scores = score_labels(truth, predicted, found, label_names, split=split)
        calibration = None
    else:
        chosen = found.argmax(axis=1)
        right = chosen == truth
        certainty = found[np.arange(len(found)), chosen]
        names = [
            (str(label_names[a]), str(label_names[b])) for a, b in zip(truth, chosen, strict=True)
        ]
        sums = ProbabilitySums.of(truth, found)
        scores = score(truth, chosen, label_names, split=split, probabilities=sums)
        before = ProbabilitySums.of(truth, probabilities(logits, several=False))
        calibration = before.calibration_error, sums.calibration_error
    return Scored(
        scores=scores,
        held_out=HeldOut(
            ids=tuple(map(str, ids)),
            truth=tuple(one for one, _ in names),
            predicted=tuple(one for _, one in names),
            probability=tuple(certainty.tolist()),
        ),
        right=right.astype(np.float64),
        calibration=calibration,
    )

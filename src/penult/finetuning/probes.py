"""The two probes of a fine-tuning: the one it starts from, and the one that it has to beat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from penult.classify.training.multilabel import best_thresholds
from penult.finetuning.calibration import probabilities
from penult.finetuning.probe import Probe, solve_probe

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.finetuning.photos import Photos
    from penult.finetuning.split import Parts

__all__ = ["Probes"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Probes:
    """Probes of the same strength.

    Attributes
    ----------
    start : Probe
        Fitted on the training photos.
    compared : Probe
        Fitted on the training and the validation photos; the first one where there are no test
        photos to compare it on.
    """

    start: Probe
    compared: Probe

    @classmethod
    def solve(cls, photos: Photos, parts: Parts, class_weight: str | None) -> Self:
        """Solve both; the strength is chosen on the validation photos."""
        rows, truth, classes = photos.rows, photos.truth, len(photos.names)
        start = solve_probe(
            rows[parts.train],
            truth[parts.train],
            classes=classes,
            validation=(rows[parts.validation], truth[parts.validation]),
            class_weight=class_weight,
        )
        if not len(parts.test):
            return cls(start=start, compared=start)
        both = np.union1d(parts.train, parts.validation)
        compared = solve_probe(
            rows[both],
            truth[both],
            classes=classes,
            class_weight=class_weight,
            strengths=(start.strength,),
        )
        return cls(start=start, compared=compared)

    def thresholds(
        self, rows: NDArray[np.float32], truth: NDArray[Any]
    ) -> tuple[float, ...] | None:
        """Choose those of several labels by the probe that has not seen the validation photos.

        One that has is too sure of them.
        """
        if truth.ndim == 1:
            return None
        return best_thresholds(truth, probabilities(self.start.logits(rows), several=True))

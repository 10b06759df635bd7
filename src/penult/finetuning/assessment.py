"""A trained network's scores, the probe's on the same photos, and their difference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from penult.classify.training.multilabel import best_thresholds
from penult.comparison.differences import find_differences
from penult.finetuning.calibration import fit_temperature, probabilities
from penult.finetuning.scoring import Scored, score_logits

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.finetuning.evaluation import Evaluation
    from penult.finetuning.photos import Photos
    from penult.finetuning.probes import Probes
    from penult.finetuning.split import Parts
    from penult.records import ModelDifference

__all__ = ["Assessment"]

_VALIDATION = "the validation part, by which the training was stopped"


@dataclass(frozen=True, kw_only=True, eq=False)
class Assessment:
    """How good a trained network is.

    Attributes
    ----------
    temperature : float
        Found on the validation photos.
    thresholds : tuple of float or None
        Of each label, where a photo may have several, found on the validation photos.
    validated : Scored
        The network on the validation photos.
    tested, probed : Scored or None
        The network and the probe on the test photos; None where there are none.
    difference : ModelDifference or None
        Of the test accuracy less the probe's; None where there are no test photos.
    trained : int or None
        How many of the test photos trained the network that was started from; None where that is
        not known.
    untrained : mapping of str to float
        ``"images"``, the number of the other test photos, and ``"accuracy"`` and ``"probe"`` on
        these; empty where all did, or none.
    """

    temperature: float
    thresholds: tuple[float, ...] | None
    validated: Scored
    tested: Scored | None
    probed: Scored | None
    difference: ModelDifference | None
    trained: int | None = None
    untrained: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def make(
        cls, photos: Photos, parts: Parts, evaluation: Evaluation, probes: Probes, *, seed: int
    ) -> Self:
        """Run the network over the validation and the test photos, and compare.

        Parameters
        ----------
        photos : Photos
        parts : Parts
        evaluation : Evaluation
            Of the trained network.
        probes : Probes
        seed : int
            Of the difference's interval.
        """
        # What is written is run in float32, whatever it was trained in.
        evaluation = replace(evaluation, precision="float32")
        truth = photos.truth

        def scored(
            rows: NDArray[np.int64], logits: NDArray[np.floating[Any]], split: str, **options: Any
        ) -> Scored:
            return score_logits(
                logits,
                truth[rows],
                ids=[str(photos.features.ids[k]) for k in rows],
                label_names=photos.names,
                split=split,
                **options,
            )

        validated, logits = evaluation.logits(parts.validation)
        temperature = fit_temperature(logits, truth[validated])
        thresholds = None
        if photos.several:
            likely = probabilities(logits, several=True, temperature=temperature)
            thresholds = best_thresholds(truth[validated], likely)
        held = {"temperature": temperature, "thresholds": thresholds}
        validation = scored(validated, logits, _VALIDATION, **held)
        if not len(parts.test):
            return cls(
                temperature=temperature,
                thresholds=thresholds,
                validated=validation,
                tested=None,
                probed=None,
                difference=None,
            )
        rows, logits = evaluation.logits(parts.test)
        tested = scored(rows, logits, parts.description, **held)
        probed = scored(
            rows,
            probes.compared.logits(photos.rows[rows]),
            parts.description,
            thresholds=probes.thresholds(photos.rows[parts.validation], truth[parts.validation]),
        )
        (difference,) = find_differences(
            {"fine-tuned": tested.right[None], "probe": probed.right[None]},
            parts.units[rows],
            score="accuracy",
            seed=seed,
        )
        return cls(
            temperature=temperature,
            thresholds=thresholds,
            tested=tested,
            validated=validation,
            probed=probed,
            difference=difference,
            **_apart(photos, rows, tested, probed),
        )


def _apart(
    photos: Photos, rows: NDArray[np.int64], tested: Scored, probed: Scored
) -> dict[str, Any]:
    known = photos.features.trained_network
    if known is None:
        return {}
    new = ~np.asarray(known, bool)[rows]
    found: dict[str, Any] = {"trained": int((~new).sum())}
    if new.any() and not new.all():
        found["untrained"] = {
            "images": int(new.sum()),
            "accuracy": float(tested.right[new].mean()),
            "probe": float(probed.right[new].mean()),
        }
    return found

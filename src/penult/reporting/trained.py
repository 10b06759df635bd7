"""What a report shows of a classifier."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from penult.records import HeldOut, Scores

if TYPE_CHECKING:
    from penult.classify.diagnosis.label_errors import LabelIssue
    from penult.classify.diagnosis.learning_curve import CurvePoint
    from penult.classify.settings import LayerResult, SeedRuns

__all__ = ["Trained"]


@dataclass(frozen=True, kw_only=True)
class Trained:
    """What a report shows of the classifier that was trained for it.

    Attributes
    ----------
    scores : Scores
        How it did on the images kept from it.
    held_out : HeldOut
        What it said of each of them.
    settings : mapping
        How it was trained. ``"chosen"`` (parameter to value) and ``"grid"`` (one mapping a
        candidate: its parameters, its cross-validated ``"accuracy"`` in [0, 1], and ``"log_loss"``
        or None) make a table of the search; every other item is shown as its name and value.
    chosen : str
        The name of the layer whose rows it classifies.
    layers : tuple of LayerResult
        Of each layer that was tried.
    runs : SeedRuns or None
        The accuracies over several seeds, of which the first is shown; None where there was one.
    label_issues : tuple of LabelIssue, or None
        Images whose labels are likely wrong; None where they were not looked for.
    curve : tuple of CurvePoint
        The learning curve; empty where it was not drawn.
    looked : mapping of str to str
        Id of a held-out image to a picture of where its class comes from, as the address of an
        image (``data:image/...``); shown beside the mistakes that have one.
    looked_maps : tuple of str
        What such a picture shows from left to right, where it shows several networks or layers.
    """

    scores: Scores
    held_out: HeldOut
    settings: Mapping[str, Any]
    chosen: str
    layers: tuple[LayerResult, ...] = ()
    runs: SeedRuns | None = None
    label_issues: tuple[LabelIssue, ...] | None = None
    curve: tuple[CurvePoint, ...] = ()
    looked: Mapping[str, str] = field(default_factory=dict)
    looked_maps: tuple[str, ...] = ()

    @property
    def multilabel(self) -> bool:
        """Whether images may have several labels."""
        return self.scores.mean_average_precision is not None

"""What a report's steps find out about its rows by a classifier: trained, given, or none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from penult.classify.classifier import Classifier
from penult.classify.diagnosis.label_errors import LabelIssue
from penult.classify.diagnosis.learning_curve import CurvePoint
from penult.classify.evaluation.result import Evaluation
from penult.partition.splits import Split
from penult.records import Features, HeldOut, Predictions, Scores

__all__ = ["Classified"]


@dataclass(frozen=True, kw_only=True)
class Classified:
    """Rows, and what a classifier says of them.

    Attributes
    ----------
    features : Features
        The rows that the page is about: of several layers, those of the classifier's.
    untrained : str
        Why no classifier was trained, in words; "" where one was, or one was given.
    classifier : Classifier or None
        Trained for the report, or given.
    scores : Scores or None
        How it did on images that it had not seen; None where none has a label that it knows.
    held_out : HeldOut or None
        What it said of each of those.
    runs : sequence of HeldOut
        The same of each of several runs.
    split : Split or None
        Which rows it was trained on, and which were held out: in the first of several runs. None of
        a classifier that was given.
    label_issues : tuple of LabelIssue, or None
        As `penult.reporting.trained.Trained` has them, as is the next.
    curve : tuple of CurvePoint
    looked : mapping of str to str
    looked_maps : tuple of str
        As `penult.reporting.trained.Trained` has them.
    predictions : Predictions or None
        Of a classifier that was given: what it says of every image.
    seen : frozenset of str, or None
        Of a classifier that was given: ids of the images that trained it, byte for byte; None where
        that cannot be known.
    evaluation : Evaluation or None
        Of a classifier that was given, where images have labels.
    """

    features: Features
    untrained: str = ""
    classifier: Classifier | None = None
    scores: Scores | None = None
    held_out: HeldOut | None = None
    runs: Sequence[HeldOut] = ()
    split: Split | None = None
    label_issues: tuple[LabelIssue, ...] | None = None
    curve: tuple[CurvePoint, ...] = ()
    looked: Mapping[str, str] = field(default_factory=dict)
    looked_maps: tuple[str, ...] = ()
    predictions: Predictions | None = None
    seen: frozenset[str] | None = None
    evaluation: Evaluation | None = None

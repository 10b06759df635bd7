"""A score of all that are compared, as a column of a table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import isnan

from penult.records import ComparedModel, RunScores
from penult.reporting.figures.score_text import score_name

__all__ = ["ScoreColumn", "ScoreText"]

MEANINGS = {
    "accuracy": "share of the held-out images that a linear classifier, trained on the features, "
    "puts into their class",
    "knn_accuracy": "share of the held-out images whose class is that of most of the nearest "
    "training images",
    "hit@1": "share of the held-out images whose nearest training image is of the same class",
    "hit@5": "share of the held-out images with one of the same class among the five nearest",
    "precision@5": "share of the five nearest training images that are of the same class",
    "macro_f1": "harmonic mean of precision and recall of the classifier, each class counting the "
    "same; 100% is best",
    "soft_f1": "macro F1 of the classifier’s probabilities in place of its decisions; 100% is best",
    "calibration_error": "how far the classifier’s probabilities are from being right as often; "
    "0 is best",
}
MEANINGS_OF_SEVERAL = {
    "accuracy": "share of the held-out images of which a linear classifier, trained on the "
    "features, finds all labels and no other",
    "knn_accuracy": "the same of a classifier by the nearest training images",
    "hit@1": "share of the held-out images whose nearest training image has the same labels",
    "hit@5": "share of the held-out images with one of the same labels among the five nearest",
    "precision@5": "share of the five nearest training images that have the same labels",
}


@dataclass(frozen=True)
class ScoreText:
    """A score as it is written, and the number to sort by; None where there is none."""

    text: str
    spread: str
    value: float | None


@dataclass(frozen=True)
class ScoreColumn:
    """A score of all that are compared, in percent like all others, as the command prints them.

    Attributes
    ----------
    name : str
        As of ``ComparedModel.scores``.
    scores : tuple of RunScores
        Of the models, in their order.
    any_label : bool
        Where it is enough that one label is right.
    """

    name: str
    scores: tuple[RunScores, ...]
    any_label: bool = False

    @classmethod
    def of(
        cls, rows: Iterable[ComparedModel], name: str, *, any_label: bool = False
    ) -> ScoreColumn | None:
        """Take a score from all rows; None where no row has it."""
        found = tuple(
            (row.any_label if any_label else row.scores).get(name, RunScores(())) for row in rows
        )
        known = any(not isnan(one.mean) for one in found)
        return cls(name, found, any_label) if known else None

    @property
    def title(self) -> str:
        """Its name in words."""
        title = score_name(self.name)
        return f"{title}, any label" if self.any_label else title

    @property
    def is_error(self) -> bool:
        """Whether less is better."""
        return self.name == "calibration_error"

    def meaning(self, *, several_labels: bool = False) -> str:
        """Say what it is, in a line."""
        if self.any_label:
            return "the same, where it is enough that one label is right"
        return (several_labels and MEANINGS_OF_SEVERAL.get(self.name)) or MEANINGS.get(
            self.name, ""
        )

    @property
    def texts(self) -> list[ScoreText]:
        """All as they are written, in the order of the models."""
        return [self._text(one) for one in self.scores]

    def _text(self, score: RunScores) -> ScoreText:
        return ScoreText(score.percent, score.spread, None if isnan(score.mean) else score.mean)

"""A score of all that are compared, as a column of a table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import isnan
from statistics import median

from penult.records import ComparedModel, RunScores
from penult.reporting.figures.score_text import score_name
from penult.wording import percent, ratio

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
    "same; 1 is best",
    "soft_f1": "macro F1 of the classifier’s probabilities in place of its decisions; 1 is best",
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
SHARES = {"accuracy", "knn_accuracy", "hit@1", "hit@5", "precision@5"}
"""Which are written as percentages; all others between 0 and 1."""

MUCH_NOISE = 0.02
"""From this standard deviation on, tenths of a percent say nothing."""


@dataclass(frozen=True)
class ScoreText:
    """A score as it is written, and the number to sort by; None where there is none."""

    text: str
    spread: str
    value: float | None


@dataclass(frozen=True)
class ScoreColumn:
    """A score of all that are compared, written with as many digits as its noise allows.

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
    def digits(self) -> int:
        """After the point, of a percentage; by what most of the models spread."""
        spreads = [one.std for one in self.scores if one.std > 0]
        return 0 if spreads and median(spreads) >= MUCH_NOISE else 1

    @property
    def texts(self) -> list[ScoreText]:
        """All as they are written, in the order of the models."""
        return [self._text(one) for one in self.scores]

    def _text(self, score: RunScores) -> ScoreText:
        if isnan(score.mean):
            return ScoreText("–", "", None)
        if self.name in SHARES:
            text, scale, digits = percent(score.mean, self.digits), 100, self.digits
        else:
            text, scale, digits = ratio(score.mean, self.digits + 2), 1, self.digits + 2
        several = sum(not isnan(one) for one in score.runs) > 1
        return ScoreText(text, _spread(scale * score.std, digits) if several else "", score.mean)


def _spread(std: float, digits: int) -> str:
    least = 10.0**-digits
    if 0 < std < least / 2:
        return f"± <{least:.{digits}f}"
    return f"± {std:.{digits}f}"

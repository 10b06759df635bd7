"""What a report shows of a classifier that was given."""

from __future__ import annotations

from dataclasses import dataclass

from penult.classify.evaluation.result import Evaluation
from penult.records import Predictions

__all__ = ["Applied"]


@dataclass(frozen=True, kw_only=True)
class Applied:
    """What a report shows of a classifier that was given, and not trained for it.

    Attributes
    ----------
    file : str
        Of the classifier, as it was typed.
    label_names : tuple of str
        Its classes.
    predictions : Predictions
        What it says of every image.
    several : bool
        Whether it may give an image several labels.
    seen : frozenset of str, or None
        Ids of the images that trained it, byte for byte; None where that cannot be known.
    evaluation : Evaluation or None
        How it did on the images with a label that it knows; None where there are none.
    """

    file: str
    label_names: tuple[str, ...]
    predictions: Predictions
    several: bool = False
    seen: frozenset[str] | None = None
    evaluation: Evaluation | None = None

    @property
    def unlike(self) -> int | None:
        """How many images are unlike all that trained it; None where it does not know."""
        marks = [one.unlike for one in self.predictions]
        return None if None in marks else sum(map(bool, marks))

"""What a report shows of a classifier that was given."""

from __future__ import annotations

from dataclasses import dataclass

from penult.classify.evaluation.result import Evaluation
from penult.records import HeldOut, Predictions
from penult.reporting.misclassified import Misclassified, misclassified, select

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
    def trained_images(self) -> HeldOut | None:
        """The images with a label that it knows that trained it; None where there are none."""
        found, seen = self.evaluation, self.seen
        if found is None or not found.trained or seen is None:
            return None
        return select(found.images, lambda one: one in seen)

    @property
    def contradicted(self) -> list[Misclassified]:
        """Those of `trained_images` that it calls otherwise all the same, the surest first."""
        images = self.trained_images
        return [] if images is None else misclassified(images)

    @property
    def unlike(self) -> int | None:
        """How many images are unlike all that trained it; None where it does not know."""
        marks = [one.unlike for one in self.predictions]
        return None if None in marks else sum(map(bool, marks))

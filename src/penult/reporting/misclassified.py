"""Held-out images: those put into the wrong class, and a good example of each class."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from penult.records import HeldOut

__all__ = ["ClassExample", "Misclassified", "class_examples", "misclassified", "select"]


@dataclass(frozen=True)
class Misclassified:
    """A held-out image that was put into the wrong class."""

    id: str
    truth: str
    predicted: str
    probability: float


@dataclass(frozen=True)
class ClassExample:
    """A held-out image that shows what a class looks like, and whether it was put into it."""

    id: str
    right: bool


def misclassified(held_out: HeldOut) -> list[Misclassified]:
    """Return every held-out image put into the wrong class, most confident first."""
    wrong = [
        Misclassified(*row)
        for row in zip(
            held_out.ids, held_out.truth, held_out.predicted, held_out.probability, strict=True
        )
        if row[1] != row[2]
    ]
    return sorted(wrong, key=lambda m: (-m.probability, m.id))


def select(images: HeldOut, wanted: Callable[[str], bool]) -> HeldOut:
    """Keep the images whose id is wanted."""
    kept = [k for k, one in enumerate(images.ids) if wanted(one)]
    return HeldOut(
        ids=tuple(images.ids[k] for k in kept),
        truth=tuple(images.truth[k] for k in kept),
        predicted=tuple(images.predicted[k] for k in kept),
        probability=tuple(images.probability[k] for k in kept),
    )


def class_examples(held_out: HeldOut) -> dict[str, ClassExample]:
    """Map each class name to a held-out image of it: the most confident hit, if there is one."""
    rows = zip(held_out.truth, held_out.predicted, held_out.probability, held_out.ids, strict=True)
    ranked = sorted(rows, key=lambda row: (row[0] == row[1], row[2]))
    # The last of a class wins.
    return {truth: ClassExample(one, truth == predicted) for truth, predicted, _, one in ranked}

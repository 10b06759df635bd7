"""The scores of one class, and their averages."""

from __future__ import annotations

from dataclasses import dataclass

from penult.representation import short_repr

__all__ = ["Average", "ClassScore"]


@short_repr
@dataclass(frozen=True)
class ClassScore:
    """The scores of one class.

    Attributes
    ----------
    label : str
        The name of the class.
    precision, recall, f1 : float
        In [0, 1].
    support : int
        Images of the class that were scored.
    average_precision : float or None
        Of the ranking of all images by this label's probability; only where images may have several
        labels, and some image has this one.
    """

    label: str
    precision: float
    recall: float
    f1: float
    support: int
    average_precision: float | None = None


@short_repr
@dataclass(frozen=True)
class Average:
    """Precision, recall and F1 averaged over classes.

    Attributes
    ----------
    precision, recall, f1 : float
        In [0, 1].
    """

    precision: float
    recall: float
    f1: float

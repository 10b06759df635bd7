"""The class of a photo."""

from __future__ import annotations

from dataclasses import dataclass

from penult.client.answers.served_model import ServedModel
from penult.representation import short_repr

__all__ = ["ClassProbability", "Classified"]


@short_repr
@dataclass(frozen=True)
class ClassProbability:
    """A class that a photo may be of.

    Attributes
    ----------
    label : str
        The class.
    probability : float
        How probable it is, in [0, 1].
    """

    label: str
    probability: float


@short_repr
@dataclass(frozen=True)
class Classified:
    """What the service says of the class of a photo.

    Attributes
    ----------
    label : str
        The most probable class.
    probability : float
        Its calibrated probability, in [0, 1]; of a gallery alone, its share of the votes of the
        nearest images.
    top : tuple of ClassProbability
        The most probable classes, most probable first.
    model : ServedModel
        What the answer is from.
    unlike : bool or None
        Whether the photo is unlike anything that was seen in training, or that is in the gallery,
        so that no class may be right; None where that is not known.
    similarity : float or None
        What that is judged by: a cosine, in [-1, 1].
    labels : tuple of str or None
        Where photos may have several labels, those above their thresholds; None elsewhere.
    """

    label: str
    probability: float
    top: tuple[ClassProbability, ...]
    model: ServedModel
    unlike: bool | None = None
    similarity: float | None = None
    labels: tuple[str, ...] | None = None

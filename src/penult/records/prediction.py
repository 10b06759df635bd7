"""What a classifier says of one image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from penult.records.copies import Copied
from penult.representation import short_repr

__all__ = ["Prediction"]


@short_repr
@dataclass(frozen=True)
class Prediction:
    """What a classifier says of one image.

    Attributes
    ----------
    id : str
        The image's id.
    label : str
        The most probable class.
    probability : float
        Its probability, in [0, 1].
    top : tuple of (str, float)
        The k most probable classes with their probabilities, most probable first.
    unsure : bool
        Whether that probability is below the threshold that was asked for.
    unlike : bool or None
        Whether the image is unlike anything that the classifier was trained on, so that no class
        may be right; None where the classifier does not know.
    similarity : float or None
        What that is judged by: the cosine to the fifth nearest of its training rows.
    copied : Copied or None
        Where the image was copied to, if it was.
    labels : tuple of str or None
        Where images may have several labels, those above their thresholds, most probable first;
        None where each has one.
    """

    id: str
    label: str
    probability: float
    top: tuple[tuple[str, float], ...]
    unsure: bool = False
    unlike: bool | None = None
    similarity: float | None = None
    copied: Copied | None = None
    labels: tuple[str, ...] | None = None

    @property
    def mark(self) -> str:
        """``"unlike"``, ``"unsure"``, or "": an image that is both counts as unlike."""
        return "unlike" if self.unlike else "unsure" if self.unsure else ""

    def to_dict(self) -> dict[str, Any]:
        """Write it as what JSON can hold: the line of ``penult predict --json``.

        Returns
        -------
        dict
            ``labels`` and ``copied_to`` are in it where there are any.
        """
        fields: dict[str, Any] = {
            "id": self.id,
            "label": self.label,
            "probability": self.probability,
            "unsure": self.unsure,
            "unlike": self.unlike,
            "similarity": self.similarity,
            "top": [list(pair) for pair in self.top],
        }
        if self.labels is not None:
            fields["labels"] = list(self.labels)
        if self.copied is not None:
            fields["copied_to"] = str(self.copied.path)
        return fields

"""Where in a photo the evidence for a class lies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from penult.records.heat_map import HeatMap
from penult.representation import short_repr

__all__ = ["ClassActivation"]


@short_repr
@dataclass(frozen=True, kw_only=True, eq=False)
class ClassActivation:
    """Where in a photo the evidence of a classifier for one class lies.

    Attributes
    ----------
    id : str
        The photo.
    label : str
        The class.
    predicted : str
        The class that the classifier finds most probable.
    probability : float
        That of `label`, in [0, 1].
    logit : float
        The score of `label` before it becomes a probability.
    intercept : float
        The part of the logit that comes from no place: that of a grey nothing, so to speak.
    method : {"cam", "grad-cam"}
        ``"cam"``: the numbers of all maps and `intercept` sum to `logit`; those above 0 speak for
        the class, those below against it. ``"grad-cam"``: numbers from 0 on, of no unit, and
        `intercept` is NaN.
    maps : tuple of HeatMap
        One for each network and layer whose rows the classifier takes; mostly one.
    similarity : float or None
        The cosine of the photo to the fifth nearest of the photos that trained the classifier.
    unlike : bool or None
        Whether that is so low that the photo is unlike anything that the classifier was trained
        on, and no class may be right; None where the classifier does not know.
    """

    id: str
    label: str
    predicted: str
    probability: float
    logit: float
    intercept: float
    method: Literal["cam", "grad-cam"]
    maps: tuple[HeatMap, ...]
    similarity: float | None = None
    unlike: bool | None = None

    @property
    def map(self) -> HeatMap:
        """The map; the first, where there are several."""
        return self.maps[0]

    def to_dict(self) -> dict[str, Any]:
        """Write it as what JSON can hold.

        Returns
        -------
        dict
            The attributes by their names, each map as `HeatMap.to_dict` has it; `intercept` is None
            for Grad-CAM. Further keys may come.
        """
        return {
            "id": self.id,
            "label": self.label,
            "predicted": self.predicted,
            "probability": self.probability,
            "logit": self.logit,
            "intercept": None if self.method == "grad-cam" else self.intercept,
            "method": self.method,
            "similarity": self.similarity,
            "unlike": self.unlike,
            "maps": [one.to_dict() for one in self.maps],
        }

"""How unusual one image is, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from penult.representation import short_repr

__all__ = ["Outlier"]


@short_repr
@dataclass(frozen=True, kw_only=True)
class Outlier:
    """How unusual one image is, and why.

    Attributes
    ----------
    id : str
        The image's id.
    percentile : float or None
        How much of its reference is less unusual, in [0, 100]: the greater of the two percentiles
        below; None where its row was not compared.
    reasons : tuple of str
        Why it is listed, empty for most images: ``knn_distance``, ``lof``, and what is odd about
        the picture: ``dark``, ``light``, ``blurry``, ``low_information``, ``odd_aspect_ratio``,
        ``tiny``, ``large``, ``grayscale``. Further ones may come.
    label : str or None
        None where it has not one label.
    distance : float or None
        Mean distance of its row to the k nearest of its reference.
    lof : float or None
        Local outlier factor of its row: about 1 where it lies as densely as its neighbours do.
    distance_percentile, lof_percentile : float or None
        How much of the reference has a smaller distance, or factor, in [0, 100].
    nearest : tuple of str
        Ids of the nearest images of its reference, the nearest first, three at most.
    values : mapping of str to float
        All that was measured of the picture, odd or not, by the names of `Outliers.measures`; empty
        where it was not measured.
    """

    id: str
    percentile: float | None
    reasons: tuple[str, ...] = ()
    label: str | None = None
    distance: float | None = None
    lof: float | None = None
    distance_percentile: float | None = None
    lof_percentile: float | None = None
    nearest: tuple[str, ...] = ()
    values: Mapping[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Write it as what JSON can hold.

        Returns
        -------
        dict
            What ``penult outliers --json`` prints in a line: the attributes by their names;
            further keys may come.
        """
        return {
            "id": self.id,
            "percentile": self.percentile,
            "reasons": list(self.reasons),
            "label": self.label,
            "distance": self.distance,
            "lof": self.lof,
            "distance_percentile": self.distance_percentile,
            "lof_percentile": self.lof_percentile,
            "nearest": list(self.nearest),
            "values": dict(self.values),
        }

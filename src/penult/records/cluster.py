"""One cluster of rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from penult.representation import short_repr
from penult.wording import percent

__all__ = ["Cluster"]


@short_repr
@dataclass(frozen=True, kw_only=True)
class Cluster:
    """Rows that a method has put together.

    Attributes
    ----------
    number : int
        From 0 for the largest.
    size : int
        How many rows are in it.
    medoid : str
        Id of the row whose distances to all rows of the cluster have the least sum: cosine
        distances, or squared Euclidean ones. It is the row nearest to their mean.
    silhouette : float or None
        Mean silhouette of its rows, in [-1, 1], over those that were measured; None for none.
    label : str or None
        The label that most of its labelled rows have, the first of several; None where none has
        one.
    share : float or None
        How many of its labelled rows have that label, in (0, 1].
    labelled : int
        How many of its rows have one label.
    """

    number: int
    size: int
    medoid: str
    silhouette: float | None = None
    label: str | None = None
    share: float | None = None
    labelled: int = 0

    @property
    def name(self) -> str:
        """The label of most and its share, ``tulip (83.3%)``; "" where there is none."""
        if self.label is None or self.share is None:
            return ""
        return f"{self.label} ({percent(self.share)})"

    @property
    def is_named(self) -> bool:
        """Whether more than half of its labelled rows have one label: others are exceptions."""
        return (self.share or 0) > 0.5

    def to_dict(self) -> dict[str, Any]:
        """Write it as what JSON can hold.

        Returns
        -------
        dict
            The attributes by their names, ``number`` as ``cluster``; further keys may come.
        """
        return {
            "cluster": self.number,
            "size": self.size,
            "medoid": self.medoid,
            "silhouette": self.silhouette,
            "label": self.label,
            "share": self.share,
            "labelled": self.labelled,
        }

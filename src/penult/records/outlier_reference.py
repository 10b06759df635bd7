"""Rows against which others are judged."""

from __future__ import annotations

from dataclasses import dataclass

from penult.representation import short_repr

__all__ = ["OutlierReference"]


@short_repr
@dataclass(frozen=True, kw_only=True)
class OutlierReference:
    """Rows against which others are judged.

    Attributes
    ----------
    name : str
        The class; "" for the whole set or the training part.
    rows : int
        How many there are; copies of others do not count.
    median : float
        Of their distances, each the mean over the k nearest of the others.
    distance_fence : float
        Above which a distance is far: Tukey's outer fence of these, the third quartile and three
        times the range between the quartiles.
    lof_fence : float
        Above which a local outlier factor is high: that fence of theirs, or 1.5 if it is less.
    """

    name: str
    rows: int
    median: float
    distance_fence: float
    lof_fence: float

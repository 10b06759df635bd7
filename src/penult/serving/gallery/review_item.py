"""An image of a gallery whose label somebody should look at."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ReviewItem"]


@dataclass(frozen=True, kw_only=True)
class ReviewItem:
    """An image to look at.

    Attributes
    ----------
    place : int
        Of its row.
    label : str or None
        The label it has.
    suggested : str
        The label it more likely should have, or is most like.
    probability : float
        Of that label.
    reason : str
        Why it is here, in words.
    same : tuple of int
        The places of other rows of the same file, where these have several labels: a decision is
        one for all of them.
    """

    place: int
    label: str | None
    suggested: str
    probability: float
    reason: str
    same: tuple[int, ...] = ()

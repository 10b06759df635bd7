"""Images whose labels should be looked at."""

from __future__ import annotations

from dataclasses import dataclass

from penult.representation import short_repr

__all__ = ["ReviewItem", "ReviewQueue"]


@short_repr
@dataclass(frozen=True)
class ReviewItem:
    """An image whose label is likely wrong, or that the service is unsure about.

    Attributes
    ----------
    id : str
        Its id.
    label : str or None
        Its present label.
    suggested : str or None
        The label that it likely should have.
    probability : float or None
        How probable that is, in [0, 1].
    reason : str
        Why it should be looked at, in a few words.
    same : tuple of str
        Other images of the same file, where these have several labels: a decision is one for all.
    same_labels : tuple of (str or None)
        The present label of each of those.
    """

    id: str
    label: str | None
    suggested: str | None
    probability: float | None
    reason: str
    same: tuple[str, ...] = ()
    same_labels: tuple[str | None, ...] = ()


@short_repr
@dataclass(frozen=True)
class ReviewQueue:
    """Images whose labels should be looked at, and that nobody has confirmed or changed yet.

    Attributes
    ----------
    total : int
        How many there are in all.
    items : tuple of ReviewItem
        Those of this part, the likeliest errors or the most unsure first.
    judged : int or None
        How many of the gallery's images were looked at: of a large one, a random part.
    images : int or None
        How many images the gallery has.
    """

    total: int
    items: tuple[ReviewItem, ...]
    judged: int | None = None
    images: int | None = None

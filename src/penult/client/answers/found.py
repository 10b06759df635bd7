"""The images of the gallery that are nearest to a photo."""

from __future__ import annotations

from dataclasses import dataclass

from penult.client.answers.served_model import ServedModel
from penult.representation import short_repr

__all__ = ["Found", "FoundHit", "FoundVote"]


@short_repr
@dataclass(frozen=True)
class FoundHit:
    """An image of the gallery that a search found.

    Attributes
    ----------
    id : str
        Its id in the gallery.
    similarity : float or None
        Its cosine with the query, in [-1, 1], larger is nearer; None where the gallery's metric is
        a distance.
    label : str or None
        Its label; None where it has none, or several.
    labels : tuple of str or None
        Where images may have several labels, those that it has; None elsewhere.
    distance : float or None
        Its Euclidean distance to the query, smaller is nearer; None where the gallery's metric is
        a similarity.
    """

    id: str
    similarity: float | None = None
    label: str | None = None
    labels: tuple[str, ...] | None = None
    distance: float | None = None


@short_repr
@dataclass(frozen=True)
class FoundVote:
    """What the images that were found say of the label of the query.

    Attributes
    ----------
    label : str
        The label that got most of the votes.
    probability : float
        Its share of the votes, in (0, 1].
    """

    label: str
    probability: float


@short_repr
@dataclass(frozen=True)
class Found:
    """What a search of the gallery found.

    Attributes
    ----------
    hits : tuple of FoundHit
        Nearest first.
    model : ServedModel
        The gallery.
    vote : FoundVote or None
        What they say of the label of the query; None where none of them has a label.
    exact_copy : str or None
        The id of the gallery's image that has the same bytes as the photo that was sent; None
        where there is no such image.
    """

    hits: tuple[FoundHit, ...]
    model: ServedModel
    vote: FoundVote | None = None
    exact_copy: str | None = None

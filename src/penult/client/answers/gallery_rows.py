"""Images of the gallery by their labels and clusters."""

from __future__ import annotations

from dataclasses import dataclass

from penult.representation import short_repr

__all__ = ["GalleryRow", "GalleryRows"]


@short_repr
@dataclass(frozen=True)
class GalleryRow:
    """An image of the gallery.

    Attributes
    ----------
    id : str
        Its id.
    label : str or None
        Its label, as corrected; None where it has none.
    cluster : int or None
        The number of its cluster; None where it is in none, or clusters are not computed yet.
    labels : tuple of str or None
        Where images may have several labels, those that it has; None elsewhere.
    """

    id: str
    label: str | None = None
    cluster: int | None = None
    labels: tuple[str, ...] | None = None


@short_repr
@dataclass(frozen=True)
class GalleryRows:
    """A part of the images that were asked for.

    Attributes
    ----------
    total : int
        How many there are in all.
    rows : tuple of GalleryRow
        Those of this part, in the order of the gallery.
    """

    total: int
    rows: tuple[GalleryRow, ...]

"""The gallery as points of a plane."""

from __future__ import annotations

from dataclasses import dataclass

from penult.representation import short_repr

__all__ = ["GalleryMap"]


@short_repr
@dataclass(frozen=True)
class GalleryMap:
    """The gallery as points of a plane: similar images are near each other.

    Attributes
    ----------
    ids : tuple of str, length N
        Ids of the images.
    x, y : tuple of float, length N
        Where they are.
    labels : tuple of (str or None), length N
        Their labels, as corrected.
    clusters : tuple of (int or None), length N, or None
        The numbers of their clusters.
    method : str
        How the map was made: ``"tsne"``, ``"umap"``, ``"pca"``.
    images : int or None
        How many images the gallery has: of a large one, the map shows a random part.
    """

    ids: tuple[str, ...]
    x: tuple[float, ...]
    y: tuple[float, ...]
    labels: tuple[str | None, ...]
    clusters: tuple[int | None, ...] | None
    method: str
    images: int | None = None

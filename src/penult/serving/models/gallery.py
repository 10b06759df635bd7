"""A gallery that is served."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from penult.serving.models.model import ServedModel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from penult.likeness import Likeness
    from penult.retrieve.search.gallery import Gallery
    from penult.retrieve.search.searched import Searched
    from penult.serving.gallery.collection import Collection
    from penult.serving.gallery.images import GalleryImages
    from penult.serving.gallery.thumbnails import ThumbnailCache

__all__ = ["ServedGallery"]


@dataclass(frozen=True, kw_only=True)
class ServedGallery(ServedModel):
    """A gallery that is served.

    Attributes
    ----------
    gallery : Searched
        What is searched.
    held : Gallery or None
        All its rows: itself, or what was read of a table when it was opened; None of a table with
        too many of them.
    collection : Collection or None
        What is known of `held` beyond its rows, as soon as it is started.
    images : sequence of paths, optional
        Where its images are now, if they have moved.
    photos : GalleryImages
        The images, as far as they are there.
    thumbnails : ThumbnailCache
        Small pictures of them.
    likeness : Likeness or None
        What tells photos like its own from others.
    """

    gallery: Searched
    held: Gallery | None
    collection: Collection | None
    photos: GalleryImages
    thumbnails: ThumbnailCache
    images: Sequence[str | Path] | None = None
    likeness: Likeness | None = None

    @property
    def is_labelled(self) -> bool:
        """Whether some of its images have labels."""
        return self.gallery.is_labelled

    @property
    def size(self) -> int:
        """How many images it has; of a table, how many it had when it was opened."""
        return self.gallery.size if self.held is None else self.held.size

    def copy_of(self, content: str) -> str | None:
        """The id of the image of these bytes; None where there is none.

        Parameters
        ----------
        content : str
            Hex BLAKE2b-128 digest of the bytes, as feature files have it.
        """
        place = self._contents.get(content)
        return None if place is None or self.held is None else str(self.held.index.ids[place])

    @cached_property
    def _contents(self) -> dict[str, int]:
        features = None if self.held is None else self.held.features
        if features is None or features.content is None:
            return {}
        named = list(map(str, features.content))
        return {one: place for place, one in reversed(list(enumerate(named))) if one}

    def unlike(
        self, rows: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32] | None, NDArray[np.bool_] | None]:
        """Measure how near rows come to the gallery's, and say which are unlike all of them.

        Parameters
        ----------
        rows : float32 array, shape (n, D)

        Returns
        -------
        similarity : float32 array, shape (n,), or None
        unlike : bool array, shape (n,), or None
            None where the gallery has too few images to say.
        """
        if self.likeness is None:
            return None, None
        similarity = self.likeness.similarity(rows)
        return similarity, self.likeness.is_unlike(similarity)

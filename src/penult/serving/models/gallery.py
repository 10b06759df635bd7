"""A gallery that is served."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from penult.retrieve.search.searched import KnownRow
from penult.serving.models.model import ServedModel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.likeness import Likeness
    from penult.retrieve.search.gallery import Gallery
    from penult.retrieve.search.searched import Searched
    from penult.serving.gallery.collection import Collection
    from penult.serving.gallery.images import GalleryImages
    from penult.serving.gallery.thumbnails import ThumbnailCache

__all__ = ["ServedGallery"]

_NEAREST = 5  # several images may have one row


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

    def may_have(self, contents: Sequence[str]) -> bool:
        """Whether `copies_of` may find images of such bytes: it need not be asked where not."""
        return self.held is None or any(one in self._contents for one in contents)

    def copies_of(
        self, contents: Sequence[str], rows: NDArray[np.float32]
    ) -> list[KnownRow | None]:
        """Find the images that photos are themselves, known by their bytes; None where none is.

        Parameters
        ----------
        contents : sequence of str, length n
            Hex BLAKE2b-128 digest of each photo's bytes, as feature files have it.
        rows : float32 array, shape (n, D)
            Of the photos. Where not all images are held, the one of the same bytes is looked for
            among those of the nearest rows.
        """
        if self.held is not None:
            places = [self._contents.get(one) for one in contents]
            return [None if one is None else self._known(one) for one in places]
        found: list[KnownRow | None] = [None] * len(contents)
        asked = np.flatnonzero(rows.any(axis=1))  # a row of zeros has no cosine
        if not len(asked):
            return found
        near = self.gallery.find(
            rows[asked], _NEAREST, own=[None] * len(asked), selected=self.gallery.select(())
        )
        known = self.gallery.known({one for hits in near for one in hits.ids})
        for place, hits in zip(asked.tolist(), near, strict=True):
            same = (known[one] for one in hits.ids if one in known)
            found[place] = next((one for one in same if one.content == contents[place]), None)
        return found

    def _known(self, place: int) -> KnownRow:
        assert self.held is not None
        return KnownRow(str(self.held.index.ids[place]))

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
